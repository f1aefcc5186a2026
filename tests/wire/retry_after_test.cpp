// When a node says it may be asked again, in all the ways nodes say it.
#include <catch2/catch.hpp>
#include <llmroute/wire/retry_after.hpp>

using namespace llmroute;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using wire::retry_after;
using wire::should_retry;

namespace {

/// Sun, 06 Nov 1994 08:49:37 GMT: the example of RFC 9110.
constexpr std::chrono::system_clock::time_point now{std::chrono::seconds(784111777)};

/// Milliseconds of a wait; -1: none.
double wait_of(const Headers& headers, std::chrono::system_clock::time_point at = now) {
  const std::optional<nanoseconds> wait = retry_after(headers, at);
  return wait ? std::chrono::duration<double, std::milli>(*wait).count() : -1;
}

}  // namespace

TEST_CASE("a wait is read from each header that asks for one", "[retry_after]") {
  const auto [name, value, milliseconds] = GENERATE(table<std::string, std::string, double>({
      {"retry-after-ms", "250", 250},
      {"Retry-After-Ms", "0.5", 0.5},
      {"x-ms-retry-after-ms", "1500", 1500},
      {"retry-after-ms", "-1", -1},
      {"retry-after-ms", "soon", -1},
      {"retry-after-ms", "", -1},
      {"retry-after", "0", 0},
      {"Retry-After", "120", 120e3},
      {"retry-after", "1.5", 1500},
      {"retry-after", "-5", -1},
      {"retry-after", "nan", -1},
      {"retry-after", "inf", -1},
      {"retry-after", "-inf", -1},
      {"retry-after", "1e300", -1},
      {"retry-after", "1e999", -1},
      {"retry-after", "99999999999", -1},
      {"retry-after", "34560000", 34560000e3},
      {"retry-after", "34560001", -1},
      {"retry-after", "5 minutes", -1},
      {"retry-after", "", -1},
      {"retry-after", "Sun, 06 Nov 1994 08:50:37 GMT", 60e3},
      {"retry-after", "Sunday, 06-Nov-94 08:50:37 GMT", 60e3},
      {"retry-after", "Sun Nov  6 08:50:37 1994", 60e3},
      {"retry-after", "Sun Nov 06 08:49:38 1994", 1e3},
      {"retry-after", "Sun, 06 Nov 1994 08:49:37 GMT", 0},
      {"retry-after", "Sun, 06 Nov 1994 08:49:36 GMT", -1},
      {"retry-after", "Fri, 31 Dec 9999 23:59:59 GMT", -1},
      {"retry-after", "Thu, 01 Jan 0001 00:00:00 GMT", -1},
      {"retry-after", "Sun, 36 Nov 1994 08:50:37 GMT", -1},
      {"retry-after", "Sun, 06 Nov 1994 08:50:37 GMT tomorrow", -1},
      {"retry-after", "Sun, 06 Nov 1994 08:50:37 +0200", -1},
      {"x-ratelimit-reset-requests", "12ms", 12},
      {"x-ratelimit-reset-requests", "6m0s", 360e3},
      {"x-ratelimit-reset-requests", "1.5s", 1500},
      {"x-ratelimit-reset-requests", "1h2m3s", 3723e3},
      {"x-ratelimit-reset-tokens", "2m59.56s", 179560},
      {"x-ratelimit-reset-tokens", "1994-11-06T08:50:37Z", 60e3},
      {"x-ratelimit-reset-tokens", "1994-11-06T08:50:37.25Z", 60e3},
      {"x-ratelimit-reset-tokens", "1994-11-06T08:50:37+00:00", 60e3},
      {"x-ratelimit-reset-tokens", "1994-11-06T08:50:37+02:00", -1},
      {"x-ratelimit-reset-tokens", "1994-11-06T08:00:00Z", -1},
      {"x-ratelimit-reset-requests", "6x", -1},
      {"x-ratelimit-reset-requests", "6", -1},
      {"x-ratelimit-reset-requests", "ms", -1},
      {"x-ratelimit-reset-requests", "1.2.3s", -1},
      {"x-ratelimit-reset-requests", "-6s", -1},
      {"x-ratelimit-reset-requests", "", -1},
      {"x-ratelimit-reset-requests", "99999h", -1},
      {"x-something-else", "5", -1},
  }));
  CAPTURE(name, value);
  CHECK(wait_of({{name, value}}) == Approx(milliseconds));
}

TEST_CASE("the most exact header that asks for a wait wins", "[retry_after]") {
  CHECK(wait_of({}) == -1);
  CHECK(wait_of({{"x-ratelimit-reset-tokens", "5s"},
                 {"x-ratelimit-reset-requests", "4s"},
                 {"retry-after", "3"},
                 {"x-ms-retry-after-ms", "2000"},
                 {"retry-after-ms", "1000"}}) == 1000);
  CHECK(wait_of({{"x-ratelimit-reset-tokens", "5s"},
                 {"x-ratelimit-reset-requests", "4s"},
                 {"retry-after", "3"},
                 {"x-ms-retry-after-ms", "2000"}}) == 2000);
  CHECK(wait_of({{"x-ratelimit-reset-tokens", "5s"}, {"retry-after", "3"}}) == 3000);
  CHECK(wait_of({{"x-ratelimit-reset-tokens", "5s"}, {"x-ratelimit-reset-requests", "4s"}}) ==
        4000);
}

TEST_CASE("a header that makes no sense gives way to the next", "[retry_after]") {
  CHECK(wait_of({{"retry-after-ms", "nan"}, {"x-ms-retry-after-ms", "7"}}) == 7);
  CHECK(wait_of({{"retry-after-ms", "-1"}, {"retry-after", "3"}}) == 3000);
  CHECK(wait_of({{"retry-after", "-3"}, {"x-ratelimit-reset-tokens", "5s"}}) == 5000);
  CHECK(wait_of({{"x-ratelimit-reset-requests", "?"}, {"x-ratelimit-reset-tokens", "5s"}}) == 5000);
}

TEST_CASE("a date counts from the moment it is read", "[retry_after]") {
  const Headers headers{{"retry-after", "Sun, 06 Nov 1994 08:50:37 GMT"}};
  CHECK(wait_of(headers, now + 250ms) == Approx(59750));
  CHECK(wait_of(headers, now + 60s) == 0);
  CHECK(wait_of(headers, now + 60s + 1ms) == -1);
  CHECK(wait_of({{"retry-after", "Thu, 01 Jan 1970 00:00:10 GMT"}},
                std::chrono::system_clock::time_point{-500ms}) == Approx(10500));
}

TEST_CASE("x-should-retry counts where it is true or false", "[retry_after]") {
  CHECK(should_retry({{"X-Should-Retry", "true"}}) == true);
  CHECK(should_retry({{"x-should-retry", "false"}}) == false);
  CHECK_FALSE(should_retry({{"x-should-retry", "yes"}}));
  CHECK_FALSE(should_retry({{"x-should-retry", ""}}));
  CHECK_FALSE(should_retry({}));
}
