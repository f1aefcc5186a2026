#include "fault.hpp"

#include <fmt/format.h>

#include <charconv>

namespace mock {

namespace {

using llmroute::Error;
using llmroute::ErrorCode;

template <class T>
bool number(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() && out >= 0;
}

bool one_of(std::string_view value, std::initializer_list<std::string_view> words,
            std::string& out) {
  for (const std::string_view word : words) {
    if (value != word) continue;
    out = value;
    return true;
  }
  return false;
}

bool set(Fault& fault, std::string_view key, std::string_view value) {
  std::size_t count = 0;
  if (key == "status")
    return number(value, fault.status) && fault.status >= 200 && fault.status < 600;
  if (key == "retry_after") return number(value, fault.retry_after);
  if (key == "reset" || key == "close")
    return number(value, count) && (fault.break_after = count, true);
  if (key == "close_events")
    return number(value, count) && (fault.break_after_events = count, true);
  if (key == "stall") return one_of(value, {"headers", "content", "middle"}, fault.stall);
  if (key == "garbage")
    return one_of(value, {"text", "html", "error", "error-event"}, fault.garbage);
  if (key == "delay_ms") return number(value, fault.delay_ms);
  if (key == "every") return number(value, fault.every) && fault.every > 0;
  if (key == "p") return number(value, fault.share) && fault.share <= 1;
  if (key == "times") return number(value, fault.times);
  return false;
}

}  // namespace

llmroute::Result<Fault> Fault::parse(std::string_view text) {
  Fault fault;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos ||
        !set(fault, pair.substr(0, equals), pair.substr(equals + 1))) {
      return Error{
          .code = ErrorCode::invalid_argument,
          .message = fmt::format("fault: \"{}\" is not understood; --help lists what is", pair),
          .param = "fault"};
    }
  }
  return fault;
}

const Fault* FaultPlan::strike() {
  if (!fault_) return nullptr;
  ++seen_;
  if (seen_ % fault_->every != 0) return nullptr;
  if (fault_->times >= 0 && struck_ >= fault_->times) return nullptr;
  if (fault_->share < 1 && rng_.unit() >= fault_->share) return nullptr;
  ++struck_;
  return &*fault_;
}

}  // namespace mock
