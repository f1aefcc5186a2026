/// One table of keys.
#include "gateway_yaml.hpp"

#include <algorithm>
#include <array>

#include "rename.hpp"

namespace gateway {
namespace {

using llmroute::Result;

constexpr std::array<Rename, 20> keys = {{
    {"server.port", "server.port", std::int64_t{8080}},
    {"server.read_timeout", "server.read_timeout", std::string_view("30s")},
    {"server.write_timeout", "server.write_timeout", std::string_view("300s")},
    {"server.idle_timeout", "server.idle_timeout", std::string_view("120s")},
    {"database.url", "store.database_url"},
    {"database.max_open_conns", "store.max_open_conns", std::int64_t{25}},
    {"database.max_idle_conns", "store.max_idle_conns", std::int64_t{10}},
    {"redis.url", "store.redis_url"},
    {"auth.admin_key", "auth.admin_key"},
    {"rate_limits.default_rpm", "limits.default_rpm", std::int64_t{60}},
    {"rate_limits.default_tpm", "limits.default_tpm", std::int64_t{100000}},
    {"health_check.interval", "health.interval", std::string_view("10s")},
    {"health_check.timeout", "health.timeout", std::string_view("5s")},
    {"health_check.healthy_threshold", "health.healthy_threshold", std::int64_t{3}},
    {"health_check.unhealthy_threshold", "health.unhealthy_threshold", std::int64_t{1}},
    {"registry.cache_refresh_interval", "store.cache_refresh_interval", std::string_view("30s")},
    {"logging.level", "logging.level", std::string_view("info")},
    {"logging.format", "logging.format", std::string_view("json")},
    {"", "router.strategy", std::string_view("weighted_round_robin")},
    {"", "auth.keys", true},
}};

constexpr std::array<std::string_view, 3> may_be_unset = {"database.url", "redis.url",
                                                          "auth.admin_key"};

bool is_empty_text(const Setting* setting) {
  const auto* text = setting != nullptr ? std::get_if<std::string>(&setting->value) : nullptr;
  return text != nullptr && text->empty();
}

}  // namespace

bool is_gateway_yaml(const Setting& document) {
  for (const std::string_view name : {"database", "redis", "health_check", "registry"}) {
    if (document.find(name) != nullptr) return true;
  }
  const Setting* limits = document.find("rate_limits");
  return limits != nullptr && std::holds_alternative<Setting::Table>(limits->value);
}

Expand gateway_yaml_expansion(Lookup lookup) {
  return [lookup = std::move(lookup)](std::string_view key, const std::string& text) {
    const bool lenient =
        std::find(may_be_unset.begin(), may_be_unset.end(), key) != may_be_unset.end();
    return expand_variables(text, lookup, lenient);
  };
}

Result<Setting> from_gateway_yaml(Setting document) {
  if (is_empty_text(document.find("database.url"))) {  // the embedded store then
    std::optional<Setting> database = take(document, "database");
    (void)take(*database, "url");
    document.set("database", std::move(*database));
  }
  return rename(document, keys, {});
}

}  // namespace gateway
