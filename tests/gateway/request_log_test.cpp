/// The lines about requests that no node is asked for.
#include "gateway/request_log.hpp"

#include <catch2/catch.hpp>

#include "captured_log.hpp"
#include "http/head_parser.hpp"

using namespace std::chrono_literals;
using Catch::Contains;
using gateway::LineBudget;
using gateway::Log;
using gateway::LogLevel;
using gateway_test::CapturedLog;

namespace {

http::Request asked_for(const std::string& target, const std::string& fields = "") {
  http::Request request;
  http::HeadParser parser({.head = 30000, .target = 20000});
  (void)parser.read("GET " + target + " HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n", request);
  return request;
}

}  // namespace

TEST_CASE("a request's line has its path, and no more of the target", "[gateway][log]") {
  CapturedLog log;
  log_request(Log(LogLevel::debug, gateway::LogFormat::json, log.fd()),
              asked_for("/a%22/sk-0123456789abcdef\"?api_key=secret"), "id", 404, false);
  CHECK_THAT(log.text(),
             Contains(R"("level":"info","event":"request","request_id":"id","method":"GET",)"
                      R"("path":"/a%22/[redacted]\u0022","status":404})"));
}

TEST_CASE("a long path is cut in a log", "[gateway][log]") {
  CapturedLog log;
  log_request(Log(LogLevel::info, gateway::LogFormat::json, log.fd()),
              asked_for("/" + std::string(9000, 'a')), "id", 404, false);
  const std::string line = log.text();
  CHECK(line.size() > 1000);
  CHECK(line.size() < 1400);
}

TEST_CASE("what is asked all the time is for debugging while it goes well", "[gateway][log]") {
  CapturedLog log;
  const Log info(LogLevel::info, gateway::LogFormat::json, log.fd());
  log_request(info, asked_for("/livez"), "id", 200, true);
  CHECK(log.so_far().empty());
  log_request(info, asked_for("/readyz"), "id", 503, true);
  log_request(info, asked_for("/v1/models"), "id", 200, false);
  log_request(info, http::Request(), "id", 400, false);  // nothing of it could be read
  const std::string lines = log.text();
  CHECK_THAT(lines, Contains(R"("path":"/readyz","status":503})") &&
                        Contains(R"("path":"/v1/models","status":200})") &&
                        Contains(R"("request_id":"id","status":400})"));
}

TEST_CASE("who tries admin keys is told of", "[gateway][log]") {
  CapturedLog log;
  const Log warn(LogLevel::warn, gateway::LogFormat::json, log.fd());
  log_refused_admin(warn, asked_for("/admin/v1/keys", "X-Admin-Key: s3cret\r\n"), "id", 0);
  const std::string line = log.so_far();
  CHECK_THAT(line, Contains(R"("level":"warn","event":"admin_refused")") &&
                       Contains(R"("reason":"wrong key","path":"/admin/v1/keys"})"));
  CHECK_THAT(line, !Contains("s3cret"));
  log_refused_admin(warn, asked_for("/admin/v1/keys"), "id", 7);
  CHECK_THAT(log.text(), Contains(R"("reason":"no key")") && Contains(R"("left_out":7)"));
}

TEST_CASE("ten lines a second, and how many there would have been", "[gateway][log]") {
  LineBudget budget;
  llmroute::Time now = llmroute::Clock::now();
  for (int i = 0; i < 10; ++i) CHECK(budget.take(now) == std::size_t{0});
  for (int i = 0; i < 7; ++i) CHECK_FALSE(budget.take(now += 100ms).has_value());
  CHECK(budget.take(now += 300ms) == std::size_t{7});
  CHECK(budget.take(now) == std::size_t{0});
}
