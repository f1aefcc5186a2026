/// Answers that say no, each in its own way.
#include "faults/fault.hpp"

namespace llmroute::test {

namespace {

const std::string_view said = R"({"error":{"message":"the node's own words","type":"x"}})";

auto says(int status, std::string_view body = said, const Headers& more = {}) {
  Headers fields{{"Content-Type", "application/json"}};
  for (const Header& field : more) fields.add(field.name, field.value);
  return plays(answer(status, body, fields));
}

/// The first of two keys is limited; the other one is as good as another node.
Fault one_of_two_keys() {
  const Script refusal = answer(429, said, {{"Retry-After", "60"}});
  const auto node = [refusal](Mode mode, std::size_t) {
    return std::make_unique<KeyedNode>(refusal, good_script(mode));
  };
  const Expected expected{
      .code = ErrorCode::rate_limited, .alone_attempts = 2, .alone_whole = true};
  return {"429 on one of two keys", node, expected, expected};
}

Fault row(std::string name, int status, const Expected& expected) {
  return {std::move(name), says(status), expected, expected};
}

}  // namespace

std::vector<Fault> status_faults() {
  std::vector<Fault> rows;
  for (const int status : {301, 302, 307, 308}) {
    rows.push_back({std::to_string(status) + " redirect",
                    says(status, "", {{"Location", "http://127.0.0.1:1/elsewhere"}}),
                    only_elsewhere(ErrorCode::bad_upstream),
                    only_elsewhere(ErrorCode::bad_upstream)});
  }
  for (const int status : {400, 413, 422}) {
    rows.push_back(row(std::to_string(status), status, refused(status)));
  }
  for (const int status : {401, 402, 403, 405, 501, 505}) {
    rows.push_back(row(std::to_string(status), status, only_elsewhere(ErrorCode::node_rejected)));
  }
  const auto no_model = says(404, R"({"error":{"message":"The model `m` does not exist."}})");
  const auto no_path = says(404, R"({"detail":"Not Found"})");
  const auto no_quota =
      says(429, R"({"error":{"message":"pay first","code":"insufficient_quota"}})");
  const Expected busy = elsewhere(ErrorCode::rate_limited);
  rows.push_back({"404 for the model", no_model, only_elsewhere(ErrorCode::model_not_found),
                  only_elsewhere(ErrorCode::model_not_found)});
  rows.push_back({"404 for the path", no_path, only_elsewhere(ErrorCode::node_rejected),
                  only_elsewhere(ErrorCode::node_rejected)});
  rows.push_back(row("408", 408, elsewhere(ErrorCode::upstream_error)));
  rows.push_back(row("409", 409, elsewhere(ErrorCode::node_rejected)));
  rows.push_back(row("429", 429, busy));
  rows.push_back(
      {"429 with Retry-After of a second", says(429, said, {{"Retry-After", "1"}}), busy, busy});
  rows.push_back(one_of_two_keys());
  rows.push_back({"429 insufficient_quota", no_quota, only_elsewhere(ErrorCode::node_rejected),
                  only_elsewhere(ErrorCode::node_rejected)});
  for (const int status : {500, 502, 503, 504, 529}) {
    rows.push_back(row(std::to_string(status), status, elsewhere(ErrorCode::upstream_error)));
  }
  rows.push_back({"503 with Retry-After of an hour", says(503, said, {{"Retry-After", "3600"}}),
                  only_elsewhere(ErrorCode::upstream_error),
                  only_elsewhere(ErrorCode::upstream_error)});
  return rows;
}

}  // namespace llmroute::test
