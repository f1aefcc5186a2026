/// A few tables of words, and the arithmetic of rates.
#include "provider_yaml.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "rename.hpp"

namespace gateway {
namespace {

using llmroute::Result;

constexpr std::array<Rename, 1> provider_keys = {{{"type", "provider"}}};
constexpr std::array<Rename, 1> model_keys = {{{"candidates", "nodes"}}};
constexpr std::array<Rename, 4> keys = {{
    {"retry.max_retries", "router.max_retries"},
    {"retry.backoff", "router.backoff"},
    {"circuit_breaker.failures", "breaker.consecutive_failures"},
    {"circuit_breaker.cooldown", "breaker.open"},
}};
constexpr double most_rate = 1e6;  // requests a second

/// A number from above 0 to most_rate.
std::optional<double> rate_of(const Setting& setting) {
  double rate = 0;
  if (const auto* whole = std::get_if<std::int64_t>(&setting.value)) {
    rate = static_cast<double>(*whole);
  }
  if (const auto* broken = std::get_if<double>(&setting.value)) rate = *broken;
  return rate > 0 && rate <= most_rate ? std::optional(rate) : std::nullopt;
}

/// `rate` a second as requests a minute. Without a burst, as many at once as a second gives.
Result<void> turn_rate(Setting& limit, std::string_view path) {
  const std::optional<Setting> rate = take(limit, "rate");
  if (!rate) return {};
  const auto a_second = rate_of(*rate);
  if (!a_second) {
    return refused(*rate, fmt::format("{}.rate", path),
                   "takes a number of requests a second, above 0");
  }
  const auto at_least_one = [](double number) {
    return std::max<std::int64_t>(1, std::llround(number));
  };
  limit.set("rpm", {.value = at_least_one(*a_second * 60), .place = rate->place});
  if (limit.find("burst") == nullptr) {
    limit.set("burst", {.value = at_least_one(std::ceil(*a_second)), .place = rate->place});
  }
  return {};
}

Result<void> turn_limits(Setting& document) {
  auto limits = rename_entries(document, "rate_limits", {});
  if (!limits) return std::move(limits.error());
  const std::optional<Setting> list = take(document, "rate_limits");
  if (!list) return {};
  for (std::size_t i = 0; i < limits->size(); ++i) {
    auto turned = turn_rate((*limits)[i], fmt::format("rate_limits[{}]", i));
    if (!turned) return turned;
  }
  if (document.find("limits.per_tenant_model") != nullptr) {
    return refused(*list, "rate_limits", "and limits.per_tenant_model are two names of one list");
  }
  const std::string place = list->place;
  document.set("limits.per_tenant_model", {.value = std::move(*limits), .place = place});
  if (document.find("limits.algorithm") == nullptr) {
    document.set("limits.algorithm", {.value = std::string("token_bucket"), .place = place});
  }
  return {};
}

/// The list `theirs` becomes the list `ours`, its entries' keys renamed.
Result<void> turn_list(Setting& document, std::string_view theirs, std::string_view ours,
                       std::span<const Rename> table) {
  auto entries = rename_entries(document, theirs, table);
  if (!entries) return std::move(entries.error());
  const std::optional<Setting> list = take(document, theirs);
  if (!list) return {};
  if (document.find(ours) != nullptr) {
    return refused(*list, theirs, fmt::format("and {} are two names of one list", ours));
  }
  document.set(ours, {.value = std::move(*entries), .place = list->place});
  return {};
}

Result<void> turn_tenants(Setting& document) {
  std::optional<Setting> tenants = take(document, "tenants");
  if (!tenants) return {};
  if (document.find("auth.tokens") != nullptr) {
    return refused(*tenants, "tenants", "and auth.tokens are two names of one table");
  }
  tenants->place = fmt::format("{}: tenants", tenants->place);
  document.set("auth.tokens", std::move(*tenants));
  return {};
}

}  // namespace

Result<Setting> from_provider_yaml(Setting document) {
  if (auto turned = turn_list(document, "providers", "nodes", provider_keys); !turned)
    return turned.error();
  if (auto turned = turn_list(document, "models", "models", model_keys); !turned)
    return turned.error();
  if (auto turned = turn_tenants(document); !turned) return turned.error();
  if (auto turned = turn_limits(document); !turned) return turned.error();
  // What tells the other forms apart is here as well, for a slip in it ends up here.
  return rename(document, keys,
                {"providers", "tenants", "rate_limits", "model_list", "database", "redis",
                 "health_check", "registry"});
}

}  // namespace gateway
