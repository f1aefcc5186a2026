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
  const Expected expected{.code = ErrorCode::rate_limited,
                          .alone_attempts = 2,
                          .alone_whole = true,
                          .blames = Blame::key};
  return {"429 on one of two keys", node, expected, expected};
}

/// Half of what the node has to say: not its own words.
Fault cut_short(std::string name, int status, const Expected& plain, const Expected& streamed,
                bool silent) {
  const std::string half(said.substr(0, said.size() / 2));
  Script script = raw(head(status, {{"Content-Type", "application/json"},
                                    {"Content-Length", std::to_string(said.size())}}) +
                      half);
  silent ? script.hang() : script.close();
  return {std::move(name), plays(std::move(script)), plain, streamed};
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
  const Expected passed_on = only_elsewhere(ErrorCode::node_rejected);
  const Expected refused_key = charged_to(Blame::key, passed_on);
  const Expected absent = charged_to(Blame::nobody, passed_on);
  for (const int status : {401, 402, 403}) {
    rows.push_back(row(std::to_string(status), status, refused_key));
  }
  for (const int status : {405, 501, 505}) {
    rows.push_back(row(std::to_string(status), status, absent));
  }
  const auto no_model = says(404, R"({"error":{"message":"The model `m` does not exist."}})");
  const auto no_path = says(404, R"({"detail":"Not Found"})");
  const auto no_quota =
      says(429, R"({"error":{"message":"pay first","code":"insufficient_quota"}})");
  const Expected busy = charged_to(Blame::nobody, elsewhere(ErrorCode::rate_limited));
  const Expected rests = charged_to(Blame::key, busy);
  const Expected unknown = charged_to(Blame::nobody, only_elsewhere(ErrorCode::model_not_found));
  rows.push_back({"404 for the model", no_model, unknown, unknown});
  rows.push_back({"404 for the path", no_path, absent, absent});
  rows.push_back(row("408", 408, elsewhere(ErrorCode::upstream_error)));
  rows.push_back(row("409", 409, charged_to(Blame::nobody, elsewhere(ErrorCode::node_rejected))));
  rows.push_back(row("429", 429, busy));
  rows.push_back(
      {"429 with Retry-After of a second", says(429, said, {{"Retry-After", "1"}}), rests, rests});
  rows.push_back(one_of_two_keys());
  rows.push_back({"429 insufficient_quota", no_quota, refused_key, refused_key});
  for (const int status : {500, 502, 503, 504, 529}) {
    rows.push_back(row(std::to_string(status), status, elsewhere(ErrorCode::upstream_error)));
  }
  rows.push_back(cut_short("400, its body cut", 400, elsewhere(ErrorCode::bad_upstream),
                           elsewhere(ErrorCode::bad_upstream), false));
  rows.push_back(cut_short("400, silent within its body", 400,
                           only_elsewhere(ErrorCode::upstream_timeout, Limit::response),
                           only_elsewhere(ErrorCode::upstream_timeout, Limit::headers), true));
  rows.push_back({"503 with Retry-After of an hour", says(503, said, {{"Retry-After", "3600"}}),
                  only_elsewhere(ErrorCode::upstream_error),
                  only_elsewhere(ErrorCode::upstream_error)});
  return rows;
}

}  // namespace llmroute::test
