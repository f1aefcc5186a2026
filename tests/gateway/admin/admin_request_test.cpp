/// Refusals in OpenAI's form.
#include "gateway/admin/admin_request.hpp"

#include <catch2/catch.hpp>

TEST_CASE("how admin requests are refused", "[gateway][admin]") {
  const gateway::AdminAnswer wrong = gateway::refused(
      {.code = llmroute::ErrorCode::invalid_argument, .message = "no", .param = "url"});
  CHECK(wrong.status == 400);
  CHECK(
      wrong.body ==
      R"({"error":{"message":"no","type":"invalid_request_error","param":"url","code":"invalid_request"}})");
  const gateway::AdminAnswer store = gateway::refused(
      {.code = llmroute::ErrorCode::internal, .message = "/var/x.db: disk I/O error"});
  CHECK(store.status == 503);
  CHECK(store.body.find("/var") == std::string::npos);
  CHECK(store.body.find("store_unavailable") != std::string::npos);
  CHECK(gateway::no_such("key", "k1").status == 404);
  CHECK(gateway::clash("name", "taken").status == 409);
  CHECK(gateway::read_only("m", "a.toml").body.find("a.toml") != std::string::npos);
  CHECK_FALSE(store.good());
  CHECK(gateway::AdminAnswer{.status = 204}.good());
}
