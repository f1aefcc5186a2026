// Three nodes, always one of them broken and each time in another way, under steady load: every
// caller gets the whole and right answer, and soon.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <llmroute/wire/delta.hpp>
#include <map>
#include <mutex>
#include <thread>

#include "faults/fault.hpp"
#include "router/router_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

using SteadyClock = std::chrono::steady_clock;
using End = test::Ending;

constexpr Duration phase_time = 1500ms;
constexpr Duration clock_time = 300ms;    // every clock that moves a call on
constexpr Duration machine_time = 250ms;  // for a busy machine
constexpr auto between_calls = std::chrono::milliseconds(1000) / 15;  // each of two callers

/// What the right answer to a question is: no two callers have the same.
std::string answer_to(std::string_view body) {
  const std::size_t at = body.find("question-");
  return "You asked " + std::string(body.substr(at, body.find('"', at) - at)) + ", here you are 😀";
}

std::vector<std::string> events_of(const std::string& answer) {
  const std::size_t half = answer.size() / 2;
  return {chat_chunk(""), chat_chunk(answer.substr(0, half)), chat_chunk(answer.substr(half)),
          chat_finish(), done()};
}

Script right(Mode mode, const std::string& answer) {
  return mode == Mode::plain ? test::answer(200, chat_completion(answer))
                             : event_stream(events_of(answer));
}

/// One way for a node to be broken.
struct Phase {
  enum class Kind {
    fast,   ///< found out at once, so that the node is out within a second
    mixed,  ///< as fast, but one kind of call alone meets it, or it does no harm
    silent  ///< found out by a clock
  };
  using Saying = std::function<Script(Mode, const std::string&)>;
  std::string name;
  Kind kind = Kind::fast;
  Saying says = right;
  std::optional<Greeting> greeting{};
  bool refuses = false;
};

Phase says(std::string name, Script script, Phase::Kind kind = Phase::Kind::fast) {
  return {.name = std::move(name), .kind = kind, .says = [script](Mode, const std::string&) {
            return script;
          }};
}

/// The right answer, changed.
template <class Change>
Phase spoilt(std::string name, Phase::Kind kind, Change change) {
  return {.name = std::move(name), .kind = kind, .says = [change](Mode mode, const std::string& a) {
            return change(mode, a);
          }};
}

/// Streams break off behind half of the answer; plain answers are cut there.
template <class Last>
Phase breaks_off(std::string name, Phase::Kind kind, Last last) {
  return spoilt(std::move(name), kind, [last](Mode mode, const std::string& answer) {
    if (mode == Mode::plain) return right(mode, answer);
    const std::vector<std::string> events = events_of(answer);
    Script script = event_stream({events[0], events[1]}, End::open);
    last(script);
    return script;
  });
}

std::vector<Phase> phases() {
  using Kind = Phase::Kind;
  const auto sends = [](const std::string& event) {
    return [event](Script& script) { script.send(chunk(event)).hang(); };
  };
  std::vector<Phase> all;
  all.push_back({.name = "refused", .refuses = true});
  all.push_back({.name = "reset when accepted", .greeting = Greeting::reset});
  all.push_back(says("500", answer(500, "{}")));
  all.push_back(
      {.name = "accepted and silent", .kind = Kind::silent, .greeting = Greeting::silence});
  all.push_back(says("502", answer(502, "<html>", {{"Content-Type", "text/html"}})));
  all.push_back(says("503", answer(503, "{}")));
  all.push_back(says("529", answer(529, "{}")));
  all.push_back(says("request read, closed", Script{}.close()));
  all.push_back(says("request read, reset", Script{}.reset()));
  all.push_back(says("request read, silent", Script{}.hang(), Kind::silent));
  all.push_back(says("head cut", raw("HTTP/1.1 200 OK\r\nContent-Type: te").close()));
  all.push_back(says("no HTTP", raw("220 mail ready\r\n").close()));
  all.push_back(says("status 999", answer(999, "{}")));
  all.push_back(says("redirect", answer(307, "", {{"Location", "http://127.0.0.1:1/"}})));
  all.push_back(says("HTML with 200", answer(200, "<html>", {{"Content-Type", "text/html"}})));
  all.push_back(says("empty 200", answer(200, "")));
  all.push_back(says("null", answer(200, "null")));
  all.push_back(says("error object with 200", answer(200, R"({"error":{"message":"x"}})")));
  all.push_back(spoilt("answers cut in half", Kind::fast, [](Mode mode, const std::string& answer) {
    Script script = right(mode, answer);
    return script.cut_at(script.size() / 2);
  }));
  all.push_back(breaks_off("streams reset", Kind::mixed, [](Script& script) { script.reset(); }));
  all.push_back(breaks_off("streams silent", Kind::silent, [](Script& script) { script.hang(); }));
  all.push_back(breaks_off("garbage in streams", Kind::mixed, sends(sse("{nonsense"))));
  all.push_back(breaks_off("errors in streams", Kind::mixed,
                           sends(sse(R"({"error":{"message":"gpu lost"}})"))));
  all.push_back(spoilt("one byte a write", Kind::mixed, [](Mode mode, const std::string& answer) {
    return right(mode, answer).in_pieces_of(1);
  }));
  return all;
}

/// A node that changes its ways while it is asked.
class ChangingNode {
 public:
  std::string url() const { return upstream_.url(); }

  void begin(const Phase& phase) {
    set(phase.says);
    if (phase.refuses) upstream_.refuse();
    if (phase.greeting) upstream_.greet(*phase.greeting);
    if (phase.refuses || phase.greeting) upstream_.drop_connections();
  }

  void end(const Phase& phase) {
    set(right);
    upstream_.greet(Greeting::serve);
    if (phase.refuses) upstream_.listen_again();
  }

 private:
  void set(Phase::Saying says) {
    const std::lock_guard lock(mutex_);
    says_ = std::move(says);
  }
  Script play(const SeenRequest& request) {
    const std::lock_guard lock(mutex_);
    const bool streamed = request.body.find(R"("stream":true)") != std::string::npos;
    return says_(streamed ? Mode::streamed : Mode::plain, answer_to(request.body));
  }

  std::mutex mutex_{};
  Phase::Saying says_{right};
  ScriptedUpstream upstream_{[this](const SeenRequest& request) { return play(request); }};
};

/// Which circuits have opened, for those who wait for it.
class Circuits final : public Observer {
 public:
  void on_node(const NodeEvent& event) override {
    if (event.kind != NodeEvent::Kind::breaker_opened) return;
    const std::lock_guard lock(mutex_);
    ++opened_[std::string(event.node)];
    changed_.notify_all();
  }
  int opened(const std::string& node) {
    const std::lock_guard lock(mutex_);
    return opened_[node];
  }
  bool wait_for_more_than(int count, const std::string& node, Duration most) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, most, [&] { return opened_[node] > count; });
  }

 private:
  std::mutex mutex_{};
  std::condition_variable changed_{};
  std::map<std::string, int> opened_{};
};

/// One call under way, and what its caller has read.
struct Asked {
  std::string body{};
  std::size_t phase = 0;
  SteadyClock::time_point begun{};
  Duration time{};
  std::string text{};
  int roles = 0;
  int finishes = 0;
  std::optional<Result<Reply>> result{};
  Call call{};
};

void note_event(Asked& asked, std::string_view data) {
  if (data.find(R"("role")") != data.npos) ++asked.roles;
  for (const wire::Delta& delta : wire::read_deltas(data)) {
    asked.text += delta.content;
    if (!delta.finish_reason.empty()) ++asked.finishes;
  }
}

/// Asks one call after the other at its own pace, whatever becomes of them, until it is told to
/// stop.
class Caller {
 public:
  Caller(Router& router, Mode mode, int first_question, const std::atomic<std::size_t>& phase)
      : router_(router), mode_(mode), question_(first_question), phase_(phase) {
    thread_ = std::thread([this] { run(); });
  }

  /// All calls, over.
  std::deque<Asked>& finish() {
    stop_ = true;
    thread_.join();
    for (Asked& asked : asked_) asked.call.wait();
    return asked_;
  }

 private:
  void run() {
    for (auto next = SteadyClock::now(); !stop_; next += between_calls) {
      std::this_thread::sleep_until(next);
      start(asked_.emplace_back());
    }
  }
  void start(Asked& asked) {
    asked.phase = phase_;
    asked.body = fmt::format(
        R"({{"model":"m","messages":[{{"role":"user","content":"question-{}"}}]}})", question_++);
    asked.begun = SteadyClock::now();
    Callbacks callbacks;
    if (mode_ == Mode::streamed) {
      callbacks.on_event = [&asked](const Event& event) {
        note_event(asked, event.data);
        return Taken::done;
      };
    }
    callbacks.on_done = [&asked](Result<Reply> result) {
      asked.time = SteadyClock::now() - asked.begun;
      asked.result.emplace(std::move(result));
    };
    asked.call = router_.start({.body = asked.body}, std::move(callbacks));
  }

  Router& router_;
  Mode mode_;
  int question_;
  const std::atomic<std::size_t>& phase_;
  std::atomic<bool> stop_{false};
  std::deque<Asked> asked_{};
  std::thread thread_{};
};

void check_answer(const Asked& asked, Mode mode, const std::string& phase) {
  REQUIRE(asked.result);
  const Result<Reply>& result = *asked.result;
  CAPTURE(phase, asked.body, (result ? std::string() : result.error().message));
  CHECK(result.has_value());
  if (!result) return;
  const std::string expected = answer_to(asked.body);
  if (mode == Mode::plain) {
    CHECK(result->body == chat_completion(expected));
  } else {
    CHECK(asked.text == expected);
    CHECK(asked.roles == 1);
    CHECK(asked.finishes == 1);
  }
}

Duration percentile_99(std::vector<Duration> times) {
  REQUIRE_FALSE(times.empty());
  std::sort(times.begin(), times.end());
  return times[(times.size() - 1) * 99 / 100];
}

Config config_of_chaos(const std::deque<ChangingNode>& nodes) {
  Config config = config_for({nodes[0].url(), nodes[1].url(), nodes[2].url()});
  for (NodeConfig& node : config.nodes) node.priority = 0;
  config.router.strategy = "round_robin";
  config.timeouts = {.connect = clock_time,
                     .headers = clock_time,
                     .response = clock_time,
                     .first_content = clock_time,
                     .idle = clock_time,
                     .total = 10s};
  config.breaker.open = config.breaker.max_open = 500ms;  // back before it is its turn again
  return config;
}

}  // namespace

TEST_CASE("with one node of three broken, in one way after the other, every answer is whole",
          "[faults][chaos]") {
  std::deque<ChangingNode> nodes(3);
  Router router(config_of_chaos(nodes));
  auto circuits = std::make_shared<Circuits>();
  router.use(circuits);

  const std::vector<Phase> all = phases();
  REQUIRE(all.size() >= 20);
  std::atomic<std::size_t> phase{0};  // 0: nobody is broken; i + 1: all[i]
  Caller plain(router, Mode::plain, 1'000'000, phase);
  Caller streamed(router, Mode::streamed, 2'000'000, phase);
  auto until = SteadyClock::now() + phase_time;
  std::this_thread::sleep_until(until);
  for (std::size_t i = 0; i < all.size(); ++i) {
    CAPTURE(all[i].name);
    const std::string name = "n" + std::to_string(i % 3 + 1);
    const int opened = circuits->opened(name);
    nodes[i % 3].begin(all[i]);
    phase = i + 1;
    if (all[i].kind == Phase::Kind::fast) CHECK(circuits->wait_for_more_than(opened, name, 1s));
    std::this_thread::sleep_until(until += phase_time);
    nodes[i % 3].end(all[i]);
  }
  const std::deque<Asked>& plain_calls = plain.finish();
  const std::deque<Asked>& streamed_calls = streamed.finish();

  std::vector<Duration> baseline;
  std::vector<Duration> fast;
  std::vector<Duration> silent;
  const auto take = [&](const Asked& asked, Mode mode) {
    const Phase* during = asked.phase == 0 ? nullptr : &all[asked.phase - 1];
    check_answer(asked, mode, during == nullptr ? "all is well" : during->name);
    const bool waits = during != nullptr && during->kind == Phase::Kind::silent;
    (during == nullptr ? baseline : waits ? silent : fast).push_back(asked.time);
  };
  for (const Asked& asked : plain_calls) take(asked, Mode::plain);
  for (const Asked& asked : streamed_calls) take(asked, Mode::streamed);

  CHECK(plain_calls.size() + streamed_calls.size() >= 20 * all.size());
  const Duration usual = percentile_99(baseline);
  CHECK(percentile_99(fast) <= usual + machine_time);
  CHECK(percentile_99(silent) <= usual + clock_time + machine_time);
  const Snapshot snapshot = router.snapshot();
  CHECK(snapshot.in_flight == 0);
  for (const NodeSnapshot& node : snapshot.nodes) CHECK(node.in_flight == 0);
}
