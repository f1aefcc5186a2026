// The failure table, row by row.
#include <catch2/catch.hpp>
#include <llmroute/core/failure.hpp>
#include <set>

using namespace llmroute;

namespace {

struct Row {
  FailureKind kind;
  bool elsewhere;
  bool same_node;
  Blame blames;
};

using enum FailureKind;

}  // namespace

TEST_CASE("the failure table is in the order of its enum", "[core][failure]") {
  std::size_t i = 0;
  std::set<std::string_view> names;
  for (const FailureTraits& row : failure_table) {
    CHECK(static_cast<std::size_t>(row.kind) == i++);
    CHECK(traits(row.kind).name == row.name);
    CHECK(names.insert(row.name).second);
  }
  CHECK(i == static_cast<std::size_t>(internal) + 1);
}

TEST_CASE("each failure is retried and blamed as designed", "[core][failure]") {
  const Row expected = GENERATE(values<Row>({
      {connect, true, true, Blame::node},
      {dns, true, true, Blame::node},
      {tls, true, true, Blame::node},
      {reset_before_headers, true, true, Blame::node},
      {timeout_connect, true, true, Blame::node},
      {timeout_headers, true, false, Blame::pair},
      {timeout_first_content, true, false, Blame::pair},
      {timeout_response, true, false, Blame::pair},
      {timeout_attempt, true, false, Blame::pair},
      {server_error, true, true, Blame::pair},
      {conflict, true, true, Blame::nobody},
      {rate_limited, true, true, Blame::nobody},
      {quota, true, false, Blame::key},
      {auth, true, false, Blame::key},
      {model_not_found, true, false, Blame::nobody},
      {absent_path, true, false, Blame::nobody},
      {rejected, false, false, Blame::nobody},
      {context_length, false, false, Blame::nobody},
      {content_filter, false, false, Blame::nobody},
      {redirected, true, false, Blame::pair},
      {error_body_in_200, true, true, Blame::pair},
      {not_json_in_200, true, true, Blame::pair},
      {not_streamed, true, false, Blame::nobody},
      {truncated_body, true, true, Blame::pair},
      {malformed_response, true, true, Blame::pair},
      {stream_cut, true, true, Blame::pair},
      {stream_stalled, true, false, Blame::pair},
      {stream_garbled, true, true, Blame::pair},
      {too_large, false, false, Blame::nobody},
      {deadline, false, false, Blame::pair},
      {cancelled, false, false, Blame::nobody},
      {forked, false, false, Blame::nobody},
      {shutting_down, false, false, Blame::nobody},
      {internal, false, false, Blame::nobody},
  }));
  const FailureTraits& row = traits(expected.kind);
  CAPTURE(row.name);
  CHECK(row.elsewhere == expected.elsewhere);
  CHECK(row.same_node == expected.same_node);
  CHECK(row.blames == expected.blames);
}

TEST_CASE("what is blamed counts as a failure of some class", "[core][failure]") {
  for (const FailureTraits& row : failure_table) {
    CAPTURE(row.name);
    if (row.blames != Blame::nobody) {
      CHECK(row.verdict == Verdict::failure);
      CHECK(row.failure_class != FailureClass::none);
    }
    if (row.blames == Blame::node) CHECK(row.failure_class == FailureClass::connect);
  }
}

TEST_CASE("what a refusal teaches is remembered", "[core][failure]") {
  CHECK(traits(rate_limited).remember == Remember::key_rests);
  CHECK(traits(quota).remember == Remember::key_rests);
  CHECK(traits(auth).remember == Remember::key_rests);
  CHECK(traits(model_not_found).remember == Remember::model_absent);
  CHECK(traits(absent_path).remember == Remember::path_absent);
}

TEST_CASE("a status alone means", "[core][failure]") {
  struct Case {
    int status;
    FailureKind kind;
  };
  const Case c = GENERATE(values<Case>({{300, redirected},
                                        {301, redirected},
                                        {399, redirected},
                                        {400, rejected},
                                        {401, auth},
                                        {402, quota},
                                        {403, auth},
                                        {404, absent_path},
                                        {405, absent_path},
                                        {408, server_error},
                                        {409, conflict},
                                        {413, rejected},
                                        {418, rejected},
                                        {422, rejected},
                                        {429, rate_limited},
                                        {499, rejected},
                                        {500, server_error},
                                        {501, absent_path},
                                        {502, server_error},
                                        {503, server_error},
                                        {504, server_error},
                                        {505, absent_path},
                                        {529, server_error},
                                        {599, server_error},
                                        {100, malformed_response},
                                        {600, malformed_response}}));
  CAPTURE(c.status);
  CHECK(failure_of_status(c.status) == c.kind);
}
