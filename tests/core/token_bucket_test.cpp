// A rate with a burst.
#include <catch2/catch.hpp>
#include <llmroute/core/rng.hpp>
#include <llmroute/core/token_bucket.hpp>

#include "core/manual_time.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

constexpr RateLimit one_a_second{.per_minute = 60, .burst = 5};

int take_all(TokenBucket& bucket, Time now, const RateLimit& limit = one_a_second) {
  int taken = 0;
  for (; bucket.fits_at(1, limit, now) <= now; ++taken) bucket.add(1, now);
  return taken;
}

}  // namespace

TEST_CASE("a bucket gives its burst at once, then its rate", "[core][token_bucket]") {
  ManualTime time;
  TokenBucket bucket;
  CHECK(take_all(bucket, time) == 5);
  time.advance(1s);
  CHECK(take_all(bucket, time) == 1);
  time.advance(2500ms);
  CHECK(take_all(bucket, time) == 2);
  time.advance(1h);
  CHECK(take_all(bucket, time) == 5);
}

TEST_CASE("without a burst a bucket holds a minute's worth", "[core][token_bucket]") {
  ManualTime time;
  TokenBucket bucket;
  CHECK(take_all(bucket, time, {.per_minute = 30}) == 30);
  time.advance(2s);
  CHECK(take_all(bucket, time, {.per_minute = 30}) == 1);
}

TEST_CASE("a bucket says when something fits, and keeps its word", "[core][token_bucket]") {
  Rng rng(3);
  ManualTime time;
  TokenBucket bucket;
  for (int i = 0; i < 5'000; ++i) {
    const std::int64_t amount = 1 + rng.below(8);  // more than the burst at times
    const Time at = bucket.fits_at(amount, one_a_second, time);
    REQUIRE(at - time.now() <= 20s);
    time.advance(at - time.now());
    REQUIRE(bucket.fits_at(amount, one_a_second, time) == time.now());
    bucket.add(amount, time);
  }
}

TEST_CASE("what a bucket gave is corrected", "[core][token_bucket]") {
  ManualTime time;
  TokenBucket bucket;
  const RateMark mark = bucket.add(5, time);
  CHECK(take_all(bucket, time) == 0);
  bucket.change(mark, -2);
  CHECK(take_all(bucket, time) == 2);
  bucket.change(mark, 3);  // below nothing
  CHECK(bucket.fits_at(1, one_a_second, time) == time.now() + 4s);
  bucket.change(mark, -100);  // never above the burst
  CHECK(take_all(bucket, time) == 5);
}

TEST_CASE("where a bucket stands", "[core][token_bucket]") {
  ManualTime time;
  TokenBucket bucket;
  CHECK(bucket.standing({}, time).limit == 0);
  CHECK(bucket.idle(one_a_second, time));
  bucket.add(3, time);
  const RateStanding standing = bucket.standing(one_a_second, time);
  CHECK(standing.limit == 5);
  CHECK(standing.remaining == 2);
  CHECK(standing.reset == 3s);
  CHECK_FALSE(bucket.idle(one_a_second, time));
  time.advance(3s);
  CHECK(bucket.idle(one_a_second, time));
}

TEST_CASE("a clock that was read earlier takes nothing out of a bucket", "[core][token_bucket]") {
  ManualTime time;
  TokenBucket bucket;
  bucket.add(5, time);
  const Time before = time;
  time.advance(3s);
  CHECK(bucket.standing(one_a_second, time).remaining == 3);
  CHECK(bucket.standing(one_a_second, before).remaining == 3);
  CHECK(bucket.standing(one_a_second, time).remaining == 3);
}
