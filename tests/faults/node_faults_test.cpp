// Every row of the table, asked for a plain answer and for a stream: what the caller gets is whole
// and right, or a typed error; it comes in time, and nothing is left behind.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <llmroute/wire/delta.hpp>

#include "faults/fault.hpp"
#include "faults/fault_record.hpp"
#include "router/router_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

constexpr Duration waited_clock = 100ms;
/// Beyond every clock of a row, on however busy a machine; the clocks that no row waits for are
/// longer.
constexpr Duration slack = 20s;

/// Whom the router charged with n1's failure.
struct Charged final : Observer {
  void on_node(const NodeEvent& event) override {
    if (event.node != "n1" || event.kind != NodeEvent::Kind::breaker_opened) return;
    // What keeps calls from a node keeps them from its models as well.
    if (whom != Blame::node) whom = event.model.empty() ? Blame::node : Blame::pair;
  }
  Blame whom = Blame::nobody;
};

/// What one call came to.
struct Answered {
  std::string text{};  ///< as a caller would put it together
  std::string finish{};
  int finishes = 0;
  int roles = 0;
  std::string node{};
  std::vector<AttemptRecord> attempts{};
  std::optional<Error> error{};
  Duration time{};
  Blame charged = Blame::nobody;
};

void add_event(Answered& out, std::string_view data) {
  if (data.find(R"("role")") != data.npos) ++out.roles;
  for (const wire::Delta& delta : wire::read_deltas(data)) {
    out.text += delta.content;
    if (delta.finish_reason.empty()) continue;
    ++out.finishes;
    out.finish = delta.finish_reason;
  }
}

Answered ask_plain(Router& router) {
  Answered out;
  Result<Reply> reply = router.route_chat(hello);
  if (!reply) {
    out.error = reply.error();
    out.attempts = reply.error().attempts;
    return out;
  }
  CHECK(reply->http_status == 200);
  CHECK(reply->body == chat_completion(whole_text));
  out.text = reply->body == chat_completion(whole_text) ? whole_text : "something else";
  out.finishes = 1;
  out.node = reply->node;
  out.attempts = reply->attempts;
  return out;
}

Answered ask_for_stream(Router& router) {
  Answered out;
  Result<Stream> stream = router.stream({.body = hello});
  if (!stream) {
    out.error = stream.error();
    out.attempts = stream.error().attempts;
    return out;
  }
  for (const Result<Event>& event : *stream) {
    if (event) {
      add_event(out, event->data);
    } else {
      out.error = event.error();
    }
  }
  out.node = stream->reply().node;
  out.attempts = out.error ? out.error->attempts : stream->reply().attempts;
  CHECK(out.roles <= 1);
  CHECK(out.finishes <= 1);
  if (out.error) CHECK(out.error->partial == out.text);
  return out;
}

Answered ask(Router& router, Mode mode) {
  const auto begun = std::chrono::steady_clock::now();
  Answered out = mode == Mode::plain ? ask_plain(router) : ask_for_stream(router);
  out.time = std::chrono::steady_clock::now() - begun;
  return out;
}

void add_faulty(Config& config, const FaultyNode& node) {
  NodeConfig faulty{.name = "n1", .url = node.url(), .models = {"m"}, .priority = 1};
  faulty.tls.ca_file = node.ca_file();
  faulty.api_keys = node.api_keys();
  config.nodes.insert(config.nodes.begin(), std::move(faulty));
}

/// Every clock that the row does not wait for is out of the way.
Config settings_of(const Fault& fault, const Expected& expected) {
  Config config = config_for({});
  config.timeouts = {.connect = 30s, .headers = 30s, .response = 30s, .idle = 30s, .total = 60s};
  switch (expected.limit) {
    case Limit::none:
      break;
    case Limit::connect:
      config.timeouts.connect = waited_clock;
      break;
    case Limit::headers:
      config.timeouts.headers = waited_clock;
      break;
    case Limit::response:
      config.timeouts.response = waited_clock;
      break;
    case Limit::first_content:
      config.timeouts.first_content = waited_clock;
      break;
    case Limit::idle:
      config.timeouts.idle = waited_clock;
      break;
  }
  fault.settings(config);
  return config;
}

void check_counts(const Router& router) {
  const Snapshot snapshot = router.snapshot();
  CHECK(snapshot.in_flight == 0);
  CHECK(snapshot.queue_depth == 0);
  for (const NodeSnapshot& node : snapshot.nodes) CHECK(node.in_flight == 0);
}

std::string limit_name(Limit limit) {
  switch (limit) {
    case Limit::none:
      return "";
    case Limit::connect:
      return "`connect`";
    case Limit::headers:
      return "`headers`";
    case Limit::response:
      return "`response`";
    case Limit::first_content:
      return "`first_content`";
    case Limit::idle:
      return "`idle`";
  }
  return "";
}

/// Rounded, so that the page does not change with the weather.
std::string time_in_words(Duration time, Limit limit) {
  if (limit != Limit::none) return limit_name(limit) + " clock";
  if (time < 250ms) return "< 250 ms";
  return time < 1s ? "< 1 s" : "< 5 s";
}

std::string outcome_in_words(const Answered& got) {
  if (!got.error) {
    const bool resumed = got.attempts.back().rung != Rung::none;
    return "answer from " + got.node + (resumed ? ", which goes on" : "");
  }
  if (got.error->code == ErrorCode::node_rejected) {
    return "the node's own " + std::to_string(got.error->http_status);
  }
  return "`" + std::string(traits(got.error->code).name) + "`";
}

bool fits(ErrorCode code, const Expected& expected) {
  return code == expected.code || code == expected.or_code;
}

/// Within the head an answer's end is the connection's.
bool fits(Blame charged, const Expected& expected) {
  return charged == expected.blames || (expected.or_code && charged == Blame::node);
}

void check_first_attempt(const Answered& got, const Expected& expected) {
  REQUIRE_FALSE(got.attempts.empty());
  const AttemptRecord& first = got.attempts[0];
  CHECK(first.node == "n1");
  REQUIRE(first.error);
  CHECK(fits(*first.error, expected));
  CHECK_FALSE(first.reason.empty());
  CHECK_THAT(first.reason, Catch::Contains(std::string(expected.reason)));
}

void check_whole(const Answered& got, int finishes = 1) {
  INFO((got.error ? got.error->message : ""));
  REQUIRE_FALSE(got.error);
  CHECK(got.text == whole_text);
  CHECK(got.finishes == finishes);
}

void check_refused(const Answered& got, int status) {
  REQUIRE(got.error);
  CHECK(got.error->code == ErrorCode::node_rejected);
  CHECK(got.error->client_status() == status);
  CHECK(got.error->body == R"({"error":{"message":"the node's own words","type":"x"}})");
}

void check_beside_a_good_node(const Answered& got, const Expected& expected) {
  const std::vector<std::string> asked = nodes_asked(got.attempts);
  switch (expected.promise) {
    case Promise::from_n1:
      check_whole(got, expected.finishes);
      CHECK(asked == std::vector<std::string>{"n1"});
      break;
    case Promise::from_n2:
      check_whole(got);
      CHECK(asked == std::vector<std::string>{"n1", "n2"});
      check_first_attempt(got, expected);
      break;
    case Promise::from_either:
      check_whole(got);
      CHECK(asked.size() <= 2);
      break;
    case Promise::refused:
      check_refused(got, expected.status);
      CHECK(asked == std::vector<std::string>{"n1"});
      break;
  }
  if (expected.promise != Promise::from_either) CHECK(fits(got.charged, expected));
  if (expected.limit != Limit::none) CHECK(got.time >= waited_clock);
}

/// With nobody else to ask: a typed error, never part of an answer as if it were one.
void check_alone(const Answered& got, const Expected& expected) {
  if (expected.promise == Promise::from_n1) return check_whole(got, expected.finishes);
  if (expected.promise == Promise::from_either && !got.error) return check_whole(got);
  if (expected.alone_whole) {
    check_whole(got);
    CHECK(static_cast<int>(got.attempts.size()) == expected.alone_attempts);
    return;
  }
  REQUIRE(got.error);
  CHECK(fits(got.error->code, expected));
  CHECK(got.error->node == "n1");
  if (expected.promise != Promise::from_either) {
    CHECK(static_cast<int>(got.attempts.size()) == expected.alone_attempts);
  }
  CHECK(std::string(whole_text).find(got.text) == 0);
}

/// One call, and what it leaves behind: nothing.
Answered call(const Fault& fault, const Expected& expected, Mode mode, std::size_t variant,
              const ScriptedUpstream* good) {
  const std::unique_ptr<FaultyNode> faulty = fault.node(mode, variant);
  Config config = settings_of(fault, expected);
  if (good != nullptr) {
    config.nodes = {{.name = "n2", .url = good->url(), .models = {"m"}, .priority = 2}};
    config.breaker.consecutive_failures = 1;  // so that one failure shows whom it is charged to
  }
  add_faulty(config, *faulty);
  std::optional<Router> router(config);
  const auto charged = std::make_shared<Charged>();
  router->use(charged);
  Answered got = ask(*router, mode);
  got.charged = router->snapshot().nodes[0].keys_resting > 0 ? Blame::key : charged->whom;
  CHECK(got.time < slack);
  check_counts(*router);
  if (fault.lingers) router.reset();
  CHECK(faulty->wait_until_quiet());
  return got;
}

std::string in_words(Blame blame) {
  switch (blame) {
    case Blame::nobody:
      return "nobody";
    case Blame::node:
      return "the node";
    case Blame::pair:
      return "the model there";
    case Blame::key:
      return "the key";
  }
  return "";
}

std::string codes_in_words(const Expected& expected) {
  std::string words = fmt::format("`{}`", traits(expected.code).name);
  if (expected.or_code) words += fmt::format(" or `{}`", traits(*expected.or_code).name);
  return words;
}

/// The variants of a row as one line of the page: the worst of all.
void run(const Fault& fault, Mode mode) {
  const Expected& expected = mode == Mode::plain ? fault.plain : fault.streamed;
  FaultRecord record{
      .area = fault.area, .fault = fault.name, .mode = mode == Mode::plain ? "plain" : "streamed"};
  Duration longest{};
  std::size_t most = 0;
  const std::size_t variants = fault.variants(mode);
  REQUIRE(variants > 0);
  for (std::size_t variant = 0; variant < variants; ++variant) {
    CAPTURE(fault.name, record.mode, variant);
    ScriptedUpstream good(good_script(mode));
    const Answered got = call(fault, expected, mode, variant, &good);
    check_beside_a_good_node(got, expected);
    longest = std::max(longest, got.time);
    most = std::max(most, got.attempts.size());
    record.outcome = outcome_in_words(got);
    const Answered lonely = call(fault, expected, mode, variant, nullptr);
    check_alone(lonely, expected);
    record.alone = expected.or_code ? codes_in_words(expected) : outcome_in_words(lonely);
  }
  if (expected.promise == Promise::from_either) {
    record.outcome = "whole answer from either";
    record.alone = "whole answer or " + codes_in_words(expected);
  }
  record.attempts = std::to_string(most);
  record.charged = in_words(expected.blames);
  record.time = time_in_words(longest, expected.limit);
  append(record);
}

}  // namespace

TEST_CASE("whatever is wrong with a node, the caller gets a whole answer or is told why",
          "[faults][table]") {
  for (const Fault& fault : all_faults()) {
    DYNAMIC_SECTION(fault.name << ", plain") { run(fault, Mode::plain); }
    DYNAMIC_SECTION(fault.name << ", streamed") { run(fault, Mode::streamed); }
  }
}

TEST_CASE("the page about reliability has every row", "[faults][page]") {
  std::ifstream file(LLMROUTE_TEST_DATA "/../../docs/reliability.md");
  const std::string page((std::istreambuf_iterator<char>(file)), {});
  for (const Fault& fault : all_faults()) {
    INFO(fault.name << " is missing: run scripts/reliability.py");
    CHECK(page.find("\n| " + fault.name + " |") != page.npos);
  }
}
