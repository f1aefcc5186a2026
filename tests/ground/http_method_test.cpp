// Methods and what they mean for asking again.
#include <catch2/catch.hpp>
#include <llmroute/http_method.hpp>

using namespace llmroute;

TEST_CASE("every method is found by its name", "[ground][method]") {
  for (std::size_t i = 0; i < http_method_names.size(); ++i) {
    const auto method = static_cast<HttpMethod>(i);
    CHECK(http_method(name(method)) == method);
  }
  CHECK_FALSE(http_method("get"));
  CHECK_FALSE(http_method("CONNECT"));
  CHECK_FALSE(http_method(""));
}

TEST_CASE("a method says whether it has a body, and whether it may be asked twice",
          "[ground][method]") {
  CHECK(sends_body(HttpMethod::post));
  CHECK(sends_body(HttpMethod::patch));
  CHECK_FALSE(sends_body(HttpMethod::delete_));
  CHECK(is_idempotent(HttpMethod::get));
  CHECK(is_idempotent(HttpMethod::put));
  CHECK_FALSE(is_idempotent(HttpMethod::post));
  CHECK_FALSE(is_idempotent(HttpMethod::patch));
}
