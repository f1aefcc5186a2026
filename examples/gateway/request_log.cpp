/// What each line has.
#include "request_log.hpp"

#include <chrono>
#include <llmroute/wire/error_body.hpp>
#include <string>
#include <utility>

namespace gateway {
namespace {

constexpr int lines_a_second = 10;
constexpr int first_failure = 400;

std::string path_of(const http::Request& request) {
  return llmroute::wire::redacted(request.path());
}

}  // namespace

void log_request(const Log& log, const http::Request& request, std::string_view request_id,
                 int status, bool asked_all_the_time) {
  const bool quiet = asked_all_the_time && status < first_failure;
  const LogLevel level = quiet ? LogLevel::debug : LogLevel::info;
  if (!log.enabled(level)) return;
  log.line(level, "request")
      .add("request_id", request_id)
      .add("method", request.method())
      .add("path", path_of(request))
      .add("status", status)
      .add("client", request.client());
}

std::optional<std::size_t> LineBudget::take(llmroute::Time now) {
  if (now - second_ >= std::chrono::seconds(1)) {
    second_ = now;
    lines_ = 0;
  }
  if (lines_ == lines_a_second) {
    ++left_out_;
    return std::nullopt;
  }
  ++lines_;
  return std::exchange(left_out_, 0);
}

void log_refused_admin(const Log& log, const http::Request& request, std::string_view request_id,
                       std::size_t left_out) {
  if (!log.enabled(LogLevel::warn)) return;
  Log::Line line = log.line(LogLevel::warn, "admin_refused");
  line.add("request_id", request_id)
      .add("reason", request.find("X-Admin-Key") ? "wrong key" : "no key")
      .add("path", path_of(request))
      .add("client", request.client());
  if (left_out > 0) line.add("left_out", left_out);
}

}  // namespace gateway
