// Strategies and observers of the caller's own.
#include <cmath>
#include <limits>
#include <mutex>

#include "capi/capi_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

/// What a strategy saw and what it is to say.
struct Chooser {
  uint32_t answer = 0;
  double score = 1;
  int freed = 0;
  std::string saw{};

  llmroute_strategy functions() {
    auto out = sized<llmroute_strategy>();
    out.user_data = this;
    out.pick = [](void* self, const llmroute_pick* pick) {
      return static_cast<Chooser*>(self)->pick(pick);
    };
    out.score = [](void* self, const llmroute_pick* pick) {
      static_cast<Chooser*>(self)->saw = llmroute_pick_node(pick, 0, nullptr);
      CHECK(llmroute_pick_count(pick) == 1);
      CHECK(llmroute_pick_random(pick) == 0);
      return static_cast<Chooser*>(self)->score;
    };
    out.free_user_data = [](void* self) { ++static_cast<Chooser*>(self)->freed; };
    return out;
  }

 private:
  uint32_t pick(const llmroute_pick* pick) {
    size_t len = 0;
    const char* model = llmroute_pick_model(pick, &len);
    saw = std::string(model, len) + "/";
    const char* session = llmroute_pick_session_key(pick, &len);
    saw += std::string(session, len) + ":";
    for (uint32_t i = 0; i < llmroute_pick_count(pick); ++i) {
      saw += " " + text_at(llmroute_pick_node(pick, i, nullptr));
      saw += "@" + text_at(llmroute_pick_label(pick, i, "place", 5, nullptr));
      CHECK(llmroute_pick_label(pick, i, "zone", 4, nullptr) == nullptr);
      CHECK(llmroute_pick_weight(pick, i) == 1);
      CHECK(llmroute_pick_capacity(pick, i) == 1);
      CHECK(llmroute_pick_priority(pick, i) == static_cast<int>(i) + 1);
      CHECK(llmroute_pick_in_flight(pick, i) == 0);
      CHECK(llmroute_pick_failures(pick, i) == 0);
      CHECK(llmroute_pick_first_content_seconds(pick, i) == 0);
      requests[i] = llmroute_pick_requests(pick, i);
      latency[i] = llmroute_pick_latency_seconds(pick, i);
    }
    CHECK(llmroute_pick_node(pick, 99, &len) == std::string());
    CHECK(llmroute_pick_label(pick, 99, "place", 5, &len) == nullptr);
    CHECK(llmroute_pick_weight(pick, 99) == 0);
    CHECK(llmroute_pick_random(pick) != llmroute_pick_random(pick));
    CHECK(llmroute_pick_prompt_tokens(pick) > 0);
    CHECK(llmroute_pick_output_tokens(pick) == 0);
    CHECK(llmroute_pick_is_stream(pick) == 0);
    return answer;
  }
  static std::string text_at(const char* text) { return text; }

 public:
  uint64_t requests[2] = {};
  double latency[2] = {};
};

}  // namespace

TEST_CASE("a strategy of the caller's own", "[capi][strategy]") {
  ScriptedUpstream one(answer(200, chat_completion("x")));
  ScriptedUpstream two(answer(200, chat_completion("x")));
  OwnedRouter router = router_for(one, two);
  Chooser chooser;
  llmroute_strategy functions = chooser.functions();

  SECTION("is shown the nodes and decides") {
    REQUIRE(llmroute_router_use_strategy(router, &functions, nullptr) == LLMROUTE_OK);
    chooser.answer = 1;
    auto options = sized<llmroute_call_options>();
    options.session_key = "s";
    options.session_key_len = 1;
    options.model = "m";
    options.model_len = 1;
    OwnedReply reply;
    OwnedError error;
    REQUIRE(route(router, reply, error, &options, R"({"messages":[]})") == LLMROUTE_OK);
    CHECK(std::string(llmroute_reply_node(reply, nullptr)) == "n2");
    CHECK(chooser.saw == "m/s: n1@p1 n2@p2");
    chooser.answer = 0;
    CHECK(node_asked(router) == "n1");
    CHECK(chooser.requests[1] == 1);
    CHECK(chooser.latency[1] > 0);
    CHECK(chooser.freed == 0);
    router.reset();
    CHECK(chooser.freed == 1);
  }
  SECTION("may say a number that is no node's") {
    REQUIRE(llmroute_router_use_strategy(router, &functions, nullptr) == LLMROUTE_OK);
    chooser.answer = GENERATE(2u, 0xffffffffu);
    for (int i = 0; i < 40 && (one.request_count() == 0 || two.request_count() == 0); ++i) {
      CHECK(node_asked(router)[0] == 'n');
    }
    CHECK(one.request_count() > 0);
    CHECK(two.request_count() > 0);
  }
  SECTION("tells its score") {
    struct Row {
      double score;
      const char* json;
    };
    const auto row = GENERATE(Row{2.5, "\"score\":2.5,"}, Row{std::nan(""), "\"score\":null,"},
                              Row{std::numeric_limits<double>::infinity(), "\"score\":null,"});
    chooser.score = row.score;
    REQUIRE(llmroute_router_use_strategy(router, &functions, nullptr) == LLMROUTE_OK);
    OwnedText json;
    REQUIRE(llmroute_router_explain(router, hello.data(), hello.size(), nullptr, &json, nullptr,
                                    nullptr) == LLMROUTE_OK);
    CHECK_THAT(std::string(json), Catch::Contains(row.json));
    CHECK(chooser.saw == "n2");
  }
  SECTION("need not tell one") {
    functions.score = nullptr;
    REQUIRE(llmroute_router_use_strategy(router, &functions, nullptr) == LLMROUTE_OK);
    OwnedText json;
    REQUIRE(llmroute_router_explain(router, hello.data(), hello.size(), nullptr, &json, nullptr,
                                    nullptr) == LLMROUTE_OK);
    CHECK_THAT(std::string(json), Catch::Contains("\"score\":null,"));
  }
  SECTION("comes before the first call, or goes again") {
    REQUIRE(node_asked(router) == "n1");
    CHECK(llmroute_router_use_strategy(router, &functions, nullptr) == LLMROUTE_INVALID_ARGUMENT);
    CHECK(chooser.freed == 1);
  }
  SECTION("replaces the one before") {
    Chooser other;
    const llmroute_strategy others = other.functions();
    REQUIRE(llmroute_router_use_strategy(router, &functions, nullptr) == LLMROUTE_OK);
    REQUIRE(llmroute_router_use_strategy(router, &others, nullptr) == LLMROUTE_OK);
    CHECK(chooser.freed == 1);
    CHECK(other.freed == 0);
    router.reset();
    CHECK(other.freed == 1);
  }
}

TEST_CASE("an observer of the caller's own", "[capi][observer]") {
  struct Log {
    std::vector<std::string> lines{};
    int freed = 0;
  } log;
  const auto add = [](void* to, std::string line) {
    static_cast<Log*>(to)->lines.push_back(std::move(line));
  };
  static const auto text_of = [](const char* begin, size_t len) { return std::string(begin, len); };
  auto observer = sized<llmroute_observer>();
  observer.user_data = &log;
  static const auto write = add;
  observer.on_attempt = [](void* to, const llmroute_attempt_event* e) {
    CHECK(e->request_id_len > 0);
    CHECK(e->time_us >= 0);
    CHECK(e->first_content_us == -1);
    CHECK(e->key == 0);
    CHECK(e->rung == LLMROUTE_RUNG_NONE);
    CHECK(e->reason != nullptr);
    write(to, text_of(e->model, e->model_len) + " " + text_of(e->node, e->node_len) + " " +
                  text_of(e->reason, e->reason_len) + " " + std::to_string(e->status) + " " +
                  std::to_string(e->http_status) + " " + std::to_string(e->number));
  };
  observer.on_call = [](void* to, const llmroute_call_event* e) {
    CHECK(e->request_id_len > 0);
    CHECK(e->time_us > 0);
    write(to, text_of(e->model, e->model_len) + " " + text_of(e->tenant, e->tenant_len) + " " +
                  text_of(e->node, e->node_len) + " " + std::to_string(e->status) + " " +
                  std::to_string(e->http_status) + " " + std::to_string(e->attempts) + " " +
                  std::to_string(e->is_stream));
  };
  observer.on_node = [](void* to, const llmroute_node_event* e) {
    write(to, text_of(e->node, e->node_len) + "/" + text_of(e->model, e->model_len) + " " +
                  std::to_string(e->kind));
  };
  observer.free_user_data = [](void* to) { ++static_cast<Log*>(to)->freed; };

  ScriptedUpstream bad(answer(503, "{}"));
  ScriptedUpstream good(answer(200, chat_completion("x")));
  std::string config = config_for({bad.url(), good.url()});
  config.insert(1, R"("breaker":{"consecutive_failures":1},)");
  OwnedRouter router = router_of(config);
  OwnedReply reply;
  OwnedError error;

  SECTION("hears of attempts, calls and nodes") {
    REQUIRE(llmroute_router_use_observer(router, &observer, nullptr) == LLMROUTE_OK);
    auto options = sized<llmroute_call_options>();
    options.tenant = "t";
    options.tenant_len = 1;
    REQUIRE(route(router, reply, error, &options) == LLMROUTE_OK);
    router.reset();
    std::sort(log.lines.begin(), log.lines.end());
    CHECK(log.lines == std::vector<std::string>{"m n1 503 12 503 1", "m n2  0 200 2",
                                                "m t n2 0 200 2 0", "n1/m 2"});
    CHECK(log.freed == 1);
  }
  SECTION("may leave functions out") {
    auto none = sized<llmroute_observer>();
    REQUIRE(llmroute_router_use_observer(router, &none, nullptr) == LLMROUTE_OK);
    REQUIRE(llmroute_router_use_observer(router, &observer, nullptr) == LLMROUTE_OK);
    CHECK(route(router, reply, error) == LLMROUTE_OK);
    CHECK(log.lines.size() == 4);
  }
  SECTION("comes before the first call") {
    CHECK(route(router, reply, error) == LLMROUTE_OK);
    CHECK(llmroute_router_use_observer(router, &observer, nullptr) == LLMROUTE_INVALID_ARGUMENT);
    CHECK(log.freed == 1);
  }
}

TEST_CASE("an observer is told how an attempt goes on with a stream", "[capi][observer]") {
  ScriptedUpstream bad(event_stream({chat_chunk("Hel")}, Ending::open).reset());
  ScriptedUpstream good(event_stream({chat_chunk("Hel"), chat_chunk("lo"), chat_finish(), done()}));
  const OwnedRouter router = router_for(bad, good);
  std::vector<int32_t> rungs;
  auto observer = sized<llmroute_observer>();
  observer.user_data = &rungs;
  observer.on_attempt = [](void* to, const llmroute_attempt_event* e) {
    static_cast<std::vector<int32_t>*>(to)->push_back(e->rung);
  };
  REQUIRE(llmroute_router_use_observer(router, &observer, nullptr) == LLMROUTE_OK);
  Heard heard;
  OwnedCall call;
  REQUIRE(start(router, heard, call) == LLMROUTE_OK);
  CHECK(llmroute_call_wait(call) == LLMROUTE_OK);
  CHECK(heard.text == "Hello");
  CHECK(rungs == std::vector<int32_t>{LLMROUTE_RUNG_NONE, LLMROUTE_RUNG_REPLAY});
}
