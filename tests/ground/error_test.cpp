// The table of error codes.
#include <catch2/catch.hpp>
#include <llmroute/error.hpp>
#include <set>
#include <string>

using namespace llmroute;

TEST_CASE("error codes are numbered from one without gaps", "[ground][error]") {
  int expected = 1;
  std::set<std::string_view> names;
  for (const ErrorTraits& row : error_table) {
    CHECK(static_cast<int>(row.code) == expected++);
    CHECK(traits(row.code).name == row.name);
    CHECK(names.insert(row.name).second);
    CHECK(row.http_status >= 400);
    CHECK(row.http_status < 600);
    CHECK_FALSE(row.openai_type.empty());
    CHECK_FALSE(row.openai_code.empty());
  }
  CHECK(names.size() == std::size(error_table));
}

TEST_CASE("a client sees the status of the table, or the node's own for a refusal",
          "[ground][error]") {
  CHECK(Error{.code = ErrorCode::queue_full}.client_status() == 503);
  CHECK(Error{.code = ErrorCode::upstream_error, .http_status = 500}.client_status() == 502);
  CHECK(Error{.code = ErrorCode::node_rejected, .http_status = 422}.client_status() == 422);
  CHECK(Error{.code = ErrorCode::node_rejected}.client_status() == 400);
}

TEST_CASE("an exception carries the whole error", "[ground][error]") {
  const ConfigError thrown(
      {.code = ErrorCode::invalid_config, .message = "weight: -1", .param = "weight"});
  CHECK(std::string(thrown.what()) == "weight: -1");
  CHECK(thrown.error().param == "weight");
}
