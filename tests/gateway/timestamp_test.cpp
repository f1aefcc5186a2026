/// RFC 3339.
#include "gateway/timestamp.hpp"

#include <catch2/catch.hpp>

using gateway::read_timestamp;
using gateway::to_text;

TEST_CASE("moments as text, and back", "[gateway][timestamp]") {
  const auto [moment, text] = GENERATE(table<gateway::Timestamp, const char*>(
      {{0, "1970-01-01T00:00:00Z"},
       {1, "1970-01-01T00:00:00.000001Z"},
       {951'782'400'000'000, "2000-02-29T00:00:00Z"},
       {1'893'456'000'500'000, "2030-01-01T00:00:00.500000Z"},
       {-1'000'000, "1969-12-31T23:59:59Z"}}));
  CAPTURE(text);
  CHECK(to_text(moment) == text);
  CHECK(read_timestamp(text) == moment);
}

TEST_CASE("other spellings of the same moment", "[gateway][timestamp]") {
  const auto noon = read_timestamp("2030-06-01T12:00:00Z");
  REQUIRE(noon);
  for (const char* same : {"2030-06-01t12:00:00z", "2030-06-01 12:00:00+00:00",
                           "2030-06-01T14:30:00+02:30", "2030-06-01T07:00:00.000-05:00"}) {
    CAPTURE(same);
    CHECK(read_timestamp(same) == noon);
  }
  CHECK(read_timestamp("2030-06-01T12:00:00.1234567Z") == *noon + 123456);
}

TEST_CASE("what is no moment", "[gateway][timestamp]") {
  for (const char* wrong :
       {"", "tomorrow", "2030-06-01", "2030-06-01T12:00:00", "2030-06-01T12:00Z",
        "2030-02-30T12:00:00Z", "2030-13-01T12:00:00Z", "2030-06-01T24:00:00Z",
        "2030-06-01T12:60:00Z", "2030-06-01T12:00:61Z", "2030-06-01T12:00:00+25:00",
        "2030-06-01T12:00:00+0100", "2030-06-01T12:00:00.Z", "2030-06-01T12:00:00Zx",
        "+030-06-01T12:00:00Z", "2030-06-01T12:00:00.1234567890Z", "2030-6-1T12:00:00Z"}) {
    CAPTURE(wrong);
    CHECK_FALSE(read_timestamp(wrong));
  }
}

TEST_CASE("now is after this was written", "[gateway][timestamp]") {
  CHECK(gateway::now_timestamp() > *read_timestamp("2024-01-01T00:00:00Z"));
}
