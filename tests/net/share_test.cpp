/// What loops share: one for all of a process, and others can be made and let go.
#include "net/share.hpp"

#include <catch2/catch.hpp>

using llmroute::net::Share;

TEST_CASE("a share", "[net][share]") {
  CHECK(Share::instance() == Share::instance());
  Share own;
  CHECK(own.handle() != nullptr);
  CHECK(own.handle() != Share::instance()->handle());
}
