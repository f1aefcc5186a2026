/// When a file counts as another one.
#include <catch2/catch.hpp>

#include "gateway/file_watch.hpp"
#include "gateway/source.hpp"
#include "temporary_directory.hpp"

using gateway::FileWatch;
using gateway::Seen;

TEST_CASE("a watched file", "[gateway][reload]") {
  const gateway_test::TemporaryDirectory directory;
  directory.write("f", "one");
  FileWatch watch("f", gateway::fingerprint_of("one"));
  CHECK(watch.path() == "f");
  CHECK(watch.look() == Seen::same);

  SECTION("has changed once it stands still") {
    directory.write("f", "tw");
    CHECK(watch.look() == Seen::unsettled);
    directory.write("f", "two");
    CHECK(watch.look() == Seen::unsettled);
    CHECK(watch.look() == Seen::changed);
    CHECK(*watch.take() == "two");
    CHECK(watch.look() == Seen::same);
  }
  SECTION("has not changed when it is written again, or exchanged for a like one") {
    directory.write("f", "one");
    CHECK(watch.look() == Seen::same);
    directory.write("g", "one");
    std::filesystem::rename("g", "f");
    CHECK(watch.look() == Seen::same);
  }
  SECTION("may be away for a moment") {
    std::filesystem::rename("f", "g");
    CHECK(watch.look() == Seen::unsettled);
    std::filesystem::rename("g", "f");
    CHECK(watch.look() == Seen::same);
  }
  SECTION("that stays away is a change, once") {
    std::filesystem::remove("f");
    CHECK(watch.look() == Seen::unsettled);
    CHECK(watch.look() == Seen::changed);
    CHECK_FALSE(watch.take().has_value());
    CHECK(watch.look() == Seen::same);
    directory.write("f", "one");
    CHECK(watch.look() == Seen::unsettled);
    CHECK(watch.look() == Seen::changed);
  }
}
