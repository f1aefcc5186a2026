// Limits of tenants: taken when a call starts, settled by what it used, given back by what failed.
#include <array>
#include <atomic>
#include <mutex>
#include <thread>

#include "router/router_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

/// What `hello` counts for before a node has counted it.
constexpr std::int64_t hello_tokens = static_cast<std::int64_t>(hello.size() / 4);

Config limited(const ScriptedUpstream& node, std::int64_t rpm, std::int64_t tpm = 0) {
  Config config = config_of(node);
  config.limits.default_rpm = rpm;
  config.limits.default_tpm = tpm;
  return config;
}

Request of(std::string_view tenant, std::optional<RateLimits> limits = std::nullopt) {
  return {.body = hello, .options = {.tenant = tenant, .limits = limits}};
}

std::string with_usage(int total) {
  return R"({"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"x"},)"
         R"("finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,)"
         R"("total_tokens":)" +
         std::to_string(total) + "}}";
}

}  // namespace

TEST_CASE("a tenant has so many requests a minute of a model", "[router][limits]") {
  ScriptedUpstream node(answer(200, chat_completion("x")));
  Router router(limited(node, 2));
  for (int left = 1; left >= 0; --left) {
    const Result<Reply> reply = router.route(of("a"));
    REQUIRE(reply);
    CHECK(reply->rate.requests.limit == 2);
    CHECK(reply->rate.requests.remaining == left);
    CHECK(reply->rate.tokens.limit == 0);
  }
  const Result<Reply> refused = router.route(of("a"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::rate_limited);
  CHECK(refused.error().message.find("limit of 2 requests a minute for model \"m\"") !=
        std::string::npos);
  CHECK(refused.error().rate.requests.remaining == 0);
  REQUIRE(refused.error().retry_after);
  CHECK(*refused.error().retry_after > 50s);
  CHECK(*refused.error().retry_after <= 61s);
  CHECK(refused.error().attempts.empty());
  CHECK(node.request_count() == 2);
  CHECK(router.route(of("b")).has_value());
}

TEST_CASE("a call's own limits go before those of the configuration", "[router][limits]") {
  ScriptedUpstream node(answer(200, chat_completion("x")));
  Router router(limited(node, 1));
  const RateLimits three{.requests = {.per_minute = 3}};
  for (int i = 0; i < 3; ++i) CHECK(router.route(of("a", three)).has_value());
  CHECK_FALSE(router.route(of("a", three)).has_value());
  CHECK(router.route(of("a", RateLimits{})).has_value());
}

TEST_CASE("of several entries the nearest counts", "[router][limits]") {
  LimitsConfig limits;
  limits.default_rpm = 1;
  limits.per_tenant_model = {{.model = "m", .rpm = 2},
                             {.tenant = "a", .rpm = 3},
                             {.tenant = "a", .model = "m", .rpm = 4, .tpm = 5}};
  CHECK(limits.of("b", "x").requests.per_minute == 1);
  CHECK(limits.of("b", "m").requests.per_minute == 2);
  CHECK(limits.of("a", "x").requests.per_minute == 3);
  CHECK(limits.of("a", "m").requests.per_minute == 4);
  CHECK(limits.of("a", "m").tokens.per_minute == 5);
}

TEST_CASE("tokens are reserved, and settled by what the node counted", "[router][limits]") {
  ScriptedUpstream node(answer(200, with_usage(70)));
  Router router(limited(node, 0, 100));
  const Result<Reply> first = router.route(of("a"));
  REQUIRE(first);
  CHECK(first->rate.tokens.remaining == 100 - hello_tokens);
  const Result<Reply> second = router.route(of("a"));
  REQUIRE(second);
  CHECK(second->rate.tokens.remaining == 30 - hello_tokens);
  const Result<Reply> third = router.route(of("a"));
  REQUIRE_FALSE(third);
  CHECK(third.error().message.find("limit of 100 tokens a minute") != std::string::npos);
}

TEST_CASE("a call that failed gives back what it had taken", "[router][limits]") {
  ScriptedUpstream node([](const SeenRequest& request) {
    return request.number <= 6 ? answer(400, R"({"error":{"message":"no"}})")
                               : answer(200, chat_completion("x"));
  });
  Router router(limited(node, 1, 1000));
  for (int i = 0; i < 6; ++i) {
    const Result<Reply> reply = router.route(of("a"));
    REQUIRE_FALSE(reply);
    CHECK(reply.error().code == ErrorCode::node_rejected);
    CHECK(reply.error().rate.requests.limit == 1);
  }
  CHECK(router.route(of("a")).has_value());
  CHECK_FALSE(router.route(of("a")).has_value());
}

TEST_CASE("a cancelled call gives back what it had taken", "[router][limits]") {
  ScriptedUpstream node([](const SeenRequest& request) {
    return request.number == 1 ? Script().hang() : answer(200, chat_completion("x"));
  });
  Router router(limited(node, 1));
  Call call = router.start(of("a"), {.on_done = [](const Result<Reply>&) {}});
  REQUIRE(node.wait_for_requests(1));
  CHECK_FALSE(router.route(of("a")).has_value());
  call.cancel();
  call.wait();
  CHECK(router.route(of("a")).has_value());
}

TEST_CASE("a stream's tokens count while it runs", "[router][limits]") {
  Gate gate;
  ScriptedUpstream node([gate](const SeenRequest& request) {
    if (request.number > 1) return event_stream({chat_chunk("x"), chat_finish(), done()});
    return event_stream({chat_chunk("a"), chat_chunk("b"), chat_chunk("c")}, Ending::open)
        .wait(gate)
        .send(chunk(chat_finish()))
        .send(chunk(done()))
        .send(chunk(""));
  });
  Router router(limited(node, 0, 100));
  Result<Stream> stream = router.stream(of("a"));
  REQUIRE(stream);
  for (int i = 0; i < 3; ++i) REQUIRE(stream->next());
  Result<Stream> beside = router.stream(of("a"));
  REQUIRE(beside);
  CHECK_FALSE(collect(*beside).error);
  CHECK(beside->reply().rate.tokens.remaining == 100 - 2 * hello_tokens - 3);
  gate.open();
  CHECK_FALSE(collect(*stream).error);
}

TEST_CASE("a stream that broke has spent what it delivered", "[router][limits]") {
  ScriptedUpstream node([](const SeenRequest& request) {
    if (request.number > 1) return answer(200, with_usage(1));
    return event_stream({chat_chunk("a"), chat_chunk("b")}, Ending::open).reset();
  });
  Router router(limited(node, 10, 100));
  Request request = of("a");
  request.options.resume = Resume::off;
  Result<Stream> stream = router.stream(request);
  REQUIRE(stream);
  CHECK(collect(*stream).error);
  const Result<Reply> reply = router.route(of("a"));
  REQUIRE(reply);
  CHECK(reply->rate.requests.remaining == 8);
  CHECK(reply->rate.tokens.remaining == 100 - 2 * hello_tokens - 2);
}

TEST_CASE("a vLLM node counts a stream's tokens on the way", "[router][limits]") {
  const auto counted = [](std::string_view text, int total) {
    std::string event = chat_chunk(text);
    const std::string usage =
        R"(,"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":)" +
        std::to_string(total) + "}";
    return event.insert(event.rfind('}'), usage);
  };
  ScriptedUpstream node(event_stream({counted("a", 40), counted("b", 60), chat_finish(), done()}));
  Config config = limited(node, 0, 100);
  config.nodes[0].provider = Provider::vllm;
  config.router.resume = Resume::off;  // token ids are asked for otherwise
  Router router(config);
  Result<Stream> stream = router.stream(of("a"));
  REQUIRE(stream);
  const Collected all = collect(*stream);
  CHECK_FALSE(all.error);
  CHECK(node.requests()[0].body.find(R"("continuous_usage_stats":true)") != std::string::npos);
  CHECK(all.raw == chat_chunk("a") + chat_chunk("b") + chat_finish());
  const Result<Stream> next = router.stream(of("a"));
  REQUIRE(next);
  CHECK(next->reply().rate.tokens.remaining == 40 - hello_tokens);
}

TEST_CASE("ten thousand calls at once stay within the limit, to the call", "[router][limits]") {
  Gate all_judged;  // until then no answer comes, so that all are under way together
  ScriptedUpstream node(
      Script().wait(all_judged).send(answer(200, chat_completion("x")).steps()[0].bytes));
  Router router(limited(node, 25));
  std::atomic<int> good{0};
  std::atomic<int> refused{0};
  std::array<std::vector<Call>, 8> calls;
  std::vector<std::thread> threads;
  for (std::vector<Call>& mine : calls) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1250; ++i) {
        mine.push_back(router.start(
            of("a"), {.on_done = [&](Result<Reply> reply) { ++(reply ? good : refused); }}));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  while (refused + node.request_count() < 10'000) std::this_thread::yield();
  CHECK(good == 0);
  all_judged.open();
  for (std::vector<Call>& some : calls) {
    for (Call& call : some) call.wait();
  }
  CHECK(good == 25);
  CHECK(refused == 9975);
  CHECK(node.request_count() == 25);
}

TEST_CASE("what is no inference counts as a request when it is posted", "[router][limits]") {
  ScriptedUpstream node(answer(200, R"({"text":"x"})"));
  Router router(limited(node, 1));
  const auto ask = [&](HttpMethod method) {
    Request request{.path = "/v1/audio/transcriptions", .body = "RIFF", .method = method};
    request.headers.add("Content-Type", "audio/wav");
    return router.route(request);
  };
  CHECK(ask(HttpMethod::get).has_value());
  CHECK(ask(HttpMethod::post).has_value());
  CHECK_FALSE(ask(HttpMethod::post).has_value());
  CHECK(ask(HttpMethod::get).has_value());
}

namespace {

/// Answers from a thread of its own, when told to.
class SlowStore final : public RateStore {
 public:
  ~SlowStore() override {
    for (std::thread& thread : threads_) thread.join();
  }

  std::optional<RateDecision> reserve(const RateRequest& request,
                                      const LaterMaker& later) override {
    const std::lock_guard held(lock_);
    subjects_.emplace_back(request.subject);
    answers_.push_back(later());
    return std::nullopt;
  }

  /// Answers all who wait, from elsewhere.
  void answer(bool granted) {
    const std::lock_guard held(lock_);
    for (RateStore::Later& one : answers_) {
      threads_.emplace_back([this, granted, tell = std::move(one)] {
        RateDecision decision{.granted = granted, .retry_after = 3s};
        if (granted) decision.hold = std::make_unique<Hold>(*this);
        tell(std::move(decision));
      });
    }
    answers_.clear();
  }

  void wait_for_asked(std::size_t count) {
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (asked() < count && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    REQUIRE(asked() == count);
  }
  std::size_t asked() {
    const std::lock_guard held(lock_);
    return subjects_.size();
  }
  std::string subject(std::size_t i) {
    const std::lock_guard held(lock_);
    return subjects_.at(i);
  }

  std::atomic<int> holds{0};
  std::atomic<std::int64_t> settled{-1};

 private:
  class Hold final : public RateHold {
   public:
    explicit Hold(SlowStore& store) : store_(store) { ++store_.holds; }
    ~Hold() override { --store_.holds; }
    void progress(std::int64_t, Time) noexcept override {}
    void settle(std::int64_t tokens, Time) noexcept override { store_.settled = tokens; }

   private:
    SlowStore& store_;
  };

  std::mutex lock_;
  std::vector<std::string> subjects_;
  std::vector<RateStore::Later> answers_;
  std::vector<std::thread> threads_;
};

struct Waiting {
  explicit Waiting(Router& router)
      : call(router.start(
            of("a"), {.on_done = [this](Result<Reply> r) { result.emplace(std::move(r)); }})) {}
  std::optional<Result<Reply>> result;
  Call call;
};

}  // namespace

TEST_CASE("a store that answers later is waited for", "[router][limits]") {
  ScriptedUpstream node(answer(200, with_usage(7)));
  const auto store = std::make_shared<SlowStore>();
  std::optional<Router> router(limited(node, 1));
  router->use(store);
  Waiting waiting(*router);
  store->wait_for_asked(1);
  CHECK(store->subject(0) == std::string("a\0m", 3));

  SECTION("and the call goes on when it is granted") {
    CHECK(node.request_count() == 0);
    store->answer(true);
    waiting.call.wait();
    REQUIRE(waiting.result->has_value());
    CHECK(store->settled == 7);
    CHECK(store->holds == 0);
  }
  SECTION("and the call ends when it is refused") {
    store->answer(false);
    waiting.call.wait();
    REQUIRE_FALSE(*waiting.result);
    CHECK(waiting.result->error().code == ErrorCode::rate_limited);
    CHECK(waiting.result->error().retry_after == 3s);
    CHECK(node.request_count() == 0);
  }
  SECTION("and one that answers a cancelled call gets its grant back") {
    waiting.call.cancel();
    waiting.call.wait();
    store->answer(true);
    router.reset();
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (store->holds != 0 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    CHECK(store->holds == 0);
    CHECK(store->settled == -1);
    CHECK(node.request_count() == 0);
  }
}

TEST_CASE("a store's answers race with the ends of calls", "[router][limits]") {
  ScriptedUpstream node(answer(200, with_usage(7)));
  const auto store = std::make_shared<SlowStore>();
  Router router(limited(node, 1));
  router.use(store);
  for (std::size_t i = 0; i < 50; ++i) {
    Waiting waiting(router);
    store->wait_for_asked(i + 1);
    store->answer(true);
    waiting.call.cancel();
    waiting.call.wait();
  }
  const auto end = std::chrono::steady_clock::now() + 20s;
  while (store->holds != 0 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  CHECK(store->holds == 0);
}
