/// The two lists.
#include "fields.hpp"

#include <algorithm>
#include <array>
#include <http/message.hpp>
#include <llmroute/headers.hpp>

namespace gateway {
namespace {

constexpr std::array<std::string_view, 4> to_node = {"traceparent", "tracestate",
                                                     "anthropic-version", "anthropic-beta"};
constexpr std::array<std::string_view, 4> to_caller = {"content-type", "endpoint-load-metrics",
                                                       "openai-processing-ms", "openai-version"};
constexpr std::string_view rate_limits = "x-ratelimit-";

template <std::size_t n>
bool listed(const std::array<std::string_view, n>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view one) { return llmroute::same_field_name(one, name); });
}

}  // namespace

bool passes_to_node(std::string_view name, std::string_view value) {
  return listed(to_node, name) && http::is_field_text(value);
}

bool is_rate_field(std::string_view name) {
  return llmroute::same_field_name(name.substr(0, rate_limits.size()), rate_limits);
}

bool passes_to_caller(std::string_view name, std::string_view value) {
  return (is_rate_field(name) || listed(to_caller, name)) && http::is_field_text(value);
}

}  // namespace gateway
