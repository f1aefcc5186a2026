/// The lines about attempts and nodes.
#include <catch2/catch.hpp>

#include "captured_log.hpp"
#include "gateway/observe.hpp"

using Catch::Contains;
using gateway::Log;
using gateway::LogLevel;
using gateway::LogObserver;
using llmroute::NodeEvent;

TEST_CASE("a failed attempt is one line, a good one none", "[gateway][observe]") {
  gateway_test::CapturedLog captured;
  const Log log(LogLevel::info, gateway::LogFormat::json, captured.fd());
  LogObserver observer(log);
  llmroute::AttemptEvent attempt;
  attempt.request_id = "r-1";
  attempt.node = "a";
  attempt.number = 1;
  observer.on_attempt(attempt);
  attempt.error = llmroute::ErrorCode::upstream_error;
  attempt.http_status = 503;
  attempt.reason = "503";
  attempt.key = 2;
  observer.on_attempt(attempt);
  const std::string text = captured.text();
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  for (const char* part :
       {R"("event":"attempt")", R"("request_id":"r-1")", R"("node":"a")", R"("key":"#2")",
        R"("number":1)", R"("reason":"503")", R"("status":503)"}) {
    CHECK_THAT(text, Contains(part));
  }
}

TEST_CASE("a node's change of state is one line", "[gateway][observe]") {
  gateway_test::CapturedLog captured;
  const Log log(LogLevel::warn, gateway::LogFormat::json, captured.fd());
  LogObserver observer(log);
  observer.on_node({NodeEvent::Kind::unhealthy, "a", ""});
  observer.on_node({NodeEvent::Kind::healthy, "a", ""});
  observer.on_node({NodeEvent::Kind::breaker_opened, "b", "m"});
  const std::string text = captured.text();
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);  // good news is below the level
  CHECK_THAT(text, Contains(R"("change":"unhealthy")") &&
                       Contains(R"("change":"breaker_opened")") && Contains(R"("model":"m")"));
}
