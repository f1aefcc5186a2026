// The version is one: of the headers and of the library.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <llmroute/version.hpp>

TEST_CASE("the library that runs is the one of the headers", "[ground][version]") {
  CHECK(llmroute::version() == fmt::format("{}.{}.{}", LLMROUTE_VERSION_MAJOR,
                                           LLMROUTE_VERSION_MINOR, LLMROUTE_VERSION_PATCH));
}
