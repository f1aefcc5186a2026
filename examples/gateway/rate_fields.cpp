/// Three fields each for requests and tokens.
#include "rate_fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace gateway {
namespace {

/// For callers who read all six fields, or none: a number that nobody comes near.
constexpr llmroute::RateStanding unlimited{.limit = 2'147'483'647, .remaining = 2'147'483'647};

void add(http::Fields& fields, std::string_view what, const llmroute::RateStanding& standing) {
  const auto field = [&](std::string_view name, std::string_view value) {
    fields.add(fmt::format("X-RateLimit-{}-{}", name, what), value);
  };
  field("Limit", fmt::format_int(standing.limit).c_str());
  field("Remaining", fmt::format_int(standing.remaining).c_str());
  field("Reset", reset_text(standing.reset));
}

}  // namespace

bool add_rate_fields(http::Fields& fields, const llmroute::RateReport& rate) {
  if (rate.requests.limit <= 0 && rate.tokens.limit <= 0) return false;
  add(fields, "Requests", rate.requests.limit > 0 ? rate.requests : unlimited);
  add(fields, "Tokens", rate.tokens.limit > 0 ? rate.tokens : unlimited);
  return true;
}

std::string reset_text(llmroute::Duration wait) {
  using namespace std::chrono_literals;
  const auto left = std::max(wait, llmroute::Duration{});
  if (left <= 999ms)
    return fmt::format("{}ms", std::chrono::ceil<std::chrono::milliseconds>(left).count());
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(left).count();
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m{}s", seconds / 60, seconds % 60);
  return fmt::format("{}h{}m{}s", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

}  // namespace gateway
