// Every allocation and every system call that a call's own thread makes fails once, and once with
// all that follow: each time the call ends with a right answer or one error, gives back what it
// took, and the next call is answered as if nothing had been.
#include <poll.h>

#include <cstdlib>
#include <memory>

#include "faultinject/failing.hpp"
#include "router/router_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

/// What came of a call. The text has its memory before anything fails.
struct Outcome {
  Outcome() { text.reserve(4096); }
  std::string text{};
  int ends = 0;
  std::optional<Error> error{};
  bool threw = false;

  void end(const Result<Reply>& result) {
    const Unharmed unharmed;
    ++ends;
    if (result) {
      text += result->body;
    } else {
      error = result.error();
    }
  }
  void event(const Event& event) {
    const Unharmed unharmed;
    text += event.data;
  }
};

using Call = void (*)(Router&, const Request&, Outcome&);

void plain(Router& router, const Request& request, Outcome& out) { out.end(router.route(request)); }

void stream(Router& router, const Request& request, Outcome& out) {
  Result<Stream> stream = router.stream(request);
  if (!stream) return out.end(std::move(stream).error());
  for (;;) {
    const Result<std::optional<Event>> event = stream->next();
    if (!event) return out.end(event.error());
    if (!*event) return out.end(Reply{});
    out.event(**event);
  }
}

void turn_until_ended(EventLoop& loop, const Outcome& out, int ends) {
  while (out.ends < ends) {
    pollfd ready{loop.fd(), POLLIN, 0};
    ::poll(&ready, 1, 1000);
    loop.run_ready();
  }
}

Callbacks callbacks_of(Outcome& out, bool streamed) {
  Callbacks callbacks{.on_done = [&out](Result<Reply> result) { out.end(result); }};
  if (streamed) {
    callbacks.on_event = [&out](const Event& event) {
      out.event(event);
      return Taken::done;
    };
  }
  return callbacks;
}

/// A call that could not begin throws, and nothing comes of it.
void begin_on(Router& router, EventLoop& loop, const Request& request, Outcome& out, bool streamed,
              llmroute::Call& call) {
  try {
    call = router.run_on(loop, request, callbacks_of(out, streamed));
  } catch (const std::bad_alloc&) {
    out.end(Error{});
  }
}

std::unique_ptr<EventLoop> unharmed_loop() {
  const Unharmed unharmed;
  auto loop = std::make_unique<EventLoop>();
  loop->fd();
  return loop;
}

void with_callbacks(Router& router, const Request& request, Outcome& out) {
  const auto loop = unharmed_loop();
  llmroute::Call call;
  begin_on(router, *loop, request, out, false, call);
  turn_until_ended(*loop, out, 1);
}

void stream_with_callbacks(Router& router, const Request& request, Outcome& out) {
  const auto loop = unharmed_loop();
  llmroute::Call call;
  begin_on(router, *loop, request, out, true, call);
  turn_until_ended(*loop, out, 1);
}

void in_background(Router& router, const Request& request, Outcome& out) {
  try {
    llmroute::Call call = router.start(request, callbacks_of(out, false));
    call.wait();
  } catch (const std::exception&) {
    out.end(Error{});
  }
}

/// The second waits in the queue for the first.
void one_behind_the_other(Router& router, const Request& request, Outcome& out) {
  const auto loop = unharmed_loop();
  llmroute::Call first;
  llmroute::Call second;
  begin_on(router, *loop, request, out, false, first);
  begin_on(router, *loop, request, out, false, second);
  turn_until_ended(*loop, out, 2);
  --out.ends;
}

/// One kind of call with the nodes it asks.
struct Scene {
  const char* name;
  Call call;
  ScriptedUpstream::Handler first;
  ScriptedUpstream::Handler second;
  std::string body;
  std::string right;
  void (*settings)(Config&) = [](Config&) {};
};

void one_at_a_time(Config& config) { config.backpressure.max_concurrent_requests = 1; }

/// Without breakers: libcurl's want of memory looks like the fault of the node that answers.
void hedged(Config& config) {
  config.hedge = {.enabled = true, .delay = 2ms, .max_share = 1};
  config.breaker.consecutive_failures = 0;
  config.breaker.failure_rate = 0;
}

/// Whose requests and answers are not passed on as they are.
void aliased(Config& config) {
  config.models.push_back({.name = "mine",
                           .model_id = "m",
                           .default_params = R"({"top_p":1})",
                           .reasoning_config = R"({"enabled":true,"effort":"low"})",
                           .transforms = {.system_prompt_prefix = "P"}});
}

/// Names that nobody has asked for before: each is looked up, on a thread of libcurl's.
void by_name(Config& config) {
  static int number = 0;
  for (NodeConfig& node : config.nodes) {
    const std::string port = node.url.substr(node.url.rfind(':'));
    node.url = "http://node-" + std::to_string(++number) + ".test" + port;
  }
}

ScriptedUpstream::Handler always(const Script& script) {
  return [script](const SeenRequest&) { return script; };
}

const std::string streamed =
    R"({"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]})";

/// Events with content, as the caller sees them.
std::string data_of(const std::vector<std::string>& events) {
  std::string all;
  for (const std::string& event : events) all += event.substr(6, event.size() - 8);
  return all;
}

std::vector<Scene> scenes() {
  const std::vector<std::string> events = {chat_chunk("a"), chat_chunk("b"), chat_finish(), done()};
  const std::string shown = data_of({events[0], events[1], events[2]});
  Script broken = event_stream(events);
  broken.cut_at(event_stream({events[0]}, Ending::open).size());
  const auto whole = always(answer(200, chat_completion("x")));
  const auto down = always(answer(503, R"({"error":{"message":"down"}})"));
  const auto streaming = always(event_stream(events));
  const auto silent = always(Script{}.hang());
  return {
      {"a plain call", plain, whole, whole, std::string(hello), chat_completion("x")},
      {"a stream", stream, streaming, streaming, streamed, shown},
      {"a failover", plain, down, whole, std::string(hello), chat_completion("x")},
      {"a stream's failover", stream, down, streaming, streamed, shown},
      {"a resumed stream", stream, always(broken), streaming, streamed, shown},
      {"a call with callbacks", with_callbacks, whole, whole, std::string(hello),
       chat_completion("x")},
      {"a stream with callbacks", stream_with_callbacks, streaming, streaming, streamed, shown},
      {"a call in the background", in_background, whole, whole, std::string(hello),
       chat_completion("x")},
      {"a call in the queue", one_behind_the_other, whole, whole, std::string(hello),
       chat_completion("x") + chat_completion("x"), one_at_a_time},
      {"a hedged call", plain, silent, whole, std::string(hello), chat_completion("x"), hedged},
      {"a hedged stream", stream, silent, streaming, streamed, shown, hedged},
      {"a call to a node with a name", plain, whole, whole, std::string(hello),
       chat_completion("x"), by_name},
      {"a call for an alias", plain, down, whole,
       R"({"model":"mine","messages":[{"role":"user","content":"hi"}]})",
       chat_completion("x", "mine"), aliased},
  };
}

const char* name_of(Failing what) {
  constexpr const char* names[] = {"memory", "libcurl's memory", "system calls"};
  return names[static_cast<int>(what)];
}

/// Every n where LLMROUTE_EVERY_FAILURE is set, else the first ones and then some.
long next_after(long nth) {
  static const bool every = std::getenv("LLMROUTE_EVERY_FAILURE") != nullptr;
  return every || nth < 64 ? nth + 1 : nth + 1 + nth % 3;
}

void play(const Scene& scene, Router& router, Duration deadline, Outcome& out) {
  const Request request{.body = scene.body, .options = {.deadline = deadline}};
  try {
    scene.call(router, request, out);
  } catch (const std::exception& thrown) {
    out.threw = true;
  }
}

void check_idle(const Router& router) {
  const Snapshot now = router.snapshot();
  CHECK(now.in_flight == 0);
  CHECK(now.queue_depth == 0);
  for (const NodeSnapshot& node : now.nodes) CHECK(node.in_flight == 0);
}

/// The scene with its n-th failure. False: there is no n-th.
bool survives(const Scene& scene, Config config, Failing what, HowOften how_often, long nth) {
  scene.settings(config);
  Router router(config);
  Outcome out;
  bool failed = false;
  {
    const FailNth failing(what, how_often, nth);
    play(scene, router, 300ms, out);
    failed = failing.failed();
  }
  INFO((out.error ? out.error->message : "no error"));
  CHECK_FALSE(out.threw);
  CHECK(out.ends == 1);
  CHECK((out.error || out.text == scene.right));
  check_idle(router);
  Outcome after;
  play(scene, router, 20s, after);
  INFO((after.error ? after.error->message : "no error"));
  CHECK(after.text == scene.right);
  check_idle(router);
  return failed;
}

}  // namespace

TEST_CASE("the n-th failure on the way of", "[faultinject]") {
  const auto what =
      GENERATE(Failing::allocations, Failing::curl_allocations, Failing::system_calls);
  const auto how_often = GENERATE(HowOften::once, HowOften::from_then_on);
  for (const Scene& scene : scenes()) {
    DYNAMIC_SECTION(scene.name << ": " << name_of(what)
                               << (how_often == HowOften::once ? " once" : " from then on")) {
      ScriptedUpstream first(scene.first);
      ScriptedUpstream second(scene.second);
      const Config config = config_of(first, second);
      for (long nth = 1;; nth = next_after(nth)) {
        CAPTURE(nth);
        if (!survives(scene, config, what, how_often, nth)) break;
      }
    }
  }
}

TEST_CASE("the n-th failure while a router is made", "[faultinject]") {
  const auto what =
      GENERATE(Failing::allocations, Failing::curl_allocations, Failing::system_calls);
  const auto how_often = GENERATE(HowOften::once, HowOften::from_then_on);
  ScriptedUpstream node(answer(200, chat_completion("x")));
  const Config config = config_of(node);
  bool failed = true;
  for (long nth = 1; failed; ++nth) {
    CAPTURE(nth);
    Config copy = config;
    std::optional<Result<Router>> made;
    {
      const FailNth failing(what, how_often, nth);
      made.emplace(Router::create(std::move(copy)));
      failed = failing.failed();
    }
    if (!failed) CHECK(made->has_value());
    if (made->has_value()) CHECK((*made)->route_chat(hello));
  }
}

TEST_CASE("the n-th failure while a configuration is taken over", "[faultinject]") {
  const auto how_often = GENERATE(HowOften::once, HowOften::from_then_on);
  ScriptedUpstream node(answer(200, chat_completion("x")));
  const Config config = config_of(node);
  Config next = config;
  next.nodes[0].name = "n9";
  next.health.interval = 3s;
  aliased(next);
  bool failed = true;
  for (long nth = 1; failed; nth = next_after(nth)) {
    CAPTURE(nth);
    Router router(config);
    Config copy = next;
    std::optional<Result<std::vector<std::string>>> taken;
    {
      const FailNth failing(Failing::allocations, how_often, nth);
      taken.emplace(router.reload(std::move(copy)));
      failed = failing.failed();
    }
    if (!failed) CHECK(taken->has_value());
    CHECK(router.snapshot().nodes[0].name == (taken->has_value() ? "n9" : "n1"));
    CHECK(router.config().models.size() == (taken->has_value() ? 1 : 0));
    CHECK(router.route_chat(hello));
  }
}
