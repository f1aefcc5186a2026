// Result: a value or an error, told apart and handed on.
#include <catch2/catch.hpp>
#include <llmroute/result.hpp>
#include <string>

using namespace llmroute;

namespace {

Error refused() { return {.code = ErrorCode::rate_limited, .message = "come back later"}; }

}  // namespace

TEST_CASE("a result with a value", "[ground][result]") {
  Result<std::string> result = std::string("text");
  CHECK(result.has_value());
  CHECK(static_cast<bool>(result));
  CHECK(*result == "text");
  CHECK(result->size() == 4);
  CHECK(std::as_const(result)->size() == 4);
  CHECK(*std::as_const(result) == "text");
  CHECK(result.value() == "text");
  CHECK(result.value_or("other") == "text");
  SECTION("gives the value away when it is a temporary") {
    CHECK(Result<std::string>("moved").value() == "moved");
    CHECK(*Result<std::string>(std::string("moved")) == "moved");
  }
  SECTION("goes on to the next step") {
    Result<std::size_t> length = std::move(result).and_then(
        [](std::string text) -> Result<std::size_t> { return text.size(); });
    CHECK(length.value() == 4);
  }
}

TEST_CASE("a result with an error", "[ground][result]") {
  Result<std::string> result = refused();
  CHECK_FALSE(result.has_value());
  CHECK(result.error().code == ErrorCode::rate_limited);
  CHECK(std::as_const(result).error().message == "come back later");
  CHECK(result.value_or("other") == "other");
  SECTION("throws it where exceptions are wanted") {
    CHECK_THROWS_AS(result.value(), Exception);
    CHECK_THROWS_AS(Result<std::string>(refused()).value(), Exception);
    CHECK_THROWS_WITH(result.value(), "come back later");
    try {
      result.value();
    } catch (const Exception& exception) {
      CHECK(exception.error().code == ErrorCode::rate_limited);
    }
  }
  SECTION("skips the next step") {
    bool called = false;
    Result<int> next = std::move(result).and_then([&](std::string) -> Result<int> {
      called = true;
      return 1;
    });
    CHECK_FALSE(called);
    CHECK(next.error().message == "come back later");
  }
  SECTION("gives the error away when it is a temporary") {
    CHECK(Result<int>(refused()).error().message == "come back later");
  }
}

TEST_CASE("a result without a value is success or an error", "[ground][result]") {
  Result<void> done;
  CHECK(done.has_value());
  CHECK_NOTHROW(done.value());
  Result<void> failed = refused();
  CHECK_FALSE(static_cast<bool>(failed));
  CHECK(failed.error().code == ErrorCode::rate_limited);
  CHECK_THROWS_AS(failed.value(), Exception);
}
