/// One table of keys, and what the key about slow probes comes to.
#include "servers_toml.hpp"

#include <array>

#include "rename.hpp"

namespace gateway {
namespace {

using llmroute::Result;

constexpr std::array<Rename, 2> server_keys = {{
    {"url", "url"},
    // What the load of a server is divided by, not a cap: more are sent when all are full.
    {"max_concurrent_requests", "capacity"},
}};

constexpr std::array<Rename, 12> keys = {{
    {"config.health_check_interval", "health.interval", std::int64_t{10}},
    {"config.health_check_timeout", "health.timeout", std::int64_t{5}},
    {"config.health_check_min_success_rate", "health.min_success_rate", 0.8},
    {"config.health_check_max_response_time", "slowest_probe", 2.0},
    {"config.config_reload_interval", "reload.interval", std::int64_t{30}},
    {"config.enable_active_health_check", "health.active", true},
    {"config.request_timeout", "timeouts.attempt", std::int64_t{120}},
    {"config.max_retries", "router.max_retries", std::int64_t{3}},
    {"config.retry_delay", "router.backoff", 0.1},
    {"", "router.strategy", std::string_view("vllm_load")},
    {"", "server.port", std::int64_t{8888}},
    {"", "logging.dir", std::string_view("logs")},
}};

std::optional<double> number(const Setting& setting) {
  if (const auto* whole = std::get_if<std::int64_t>(&setting.value)) {
    return static_cast<double>(*whole);
  }
  const auto* broken = std::get_if<double>(&setting.value);
  return broken != nullptr ? std::optional(*broken) : std::nullopt;
}

/// A probe that takes longer than health_check_max_response_time is a bad one, so it need not be
/// waited for. Our health.max_response_time is about calls, of which every long answer were too
/// slow.
Result<void> limit_probes(Setting& ours) {
  const std::optional<Setting> slowest = take(ours, "slowest_probe");
  const auto most = number(*slowest);
  if (!most || *most < 0) {
    return refused(*slowest, "", "takes a number of seconds, 0 or more");
  }
  const auto timeout = number(*ours.find("health.timeout"));
  if (*most > 0 && timeout && *most < *timeout) ours.set("health.timeout", *slowest);
  return {};
}

}  // namespace

bool is_servers_toml(const Setting& document) {
  return document.find("servers") != nullptr || document.find("config") != nullptr;
}

Result<Setting> from_servers_toml(Setting document) {
  auto nodes = rename_entries(document, "servers.servers", server_keys);
  if (!nodes) return std::move(nodes.error());
  const std::optional<Setting> servers = take(document, "servers");
  for (const Setting::Member& member : servers ? servers->table() : Setting::Table{}) {
    if (member.name == "servers") continue;
    return refused(member.setting, "servers." + member.name,
                   "unknown; nearest: \"servers.servers\"");
  }
  auto ours = rename(document, keys, {"servers"});
  if (!ours) return std::move(ours.error());
  if (auto limited = limit_probes(*ours); !limited) return limited.error();
  if (servers) ours->set("nodes", {.value = std::move(*nodes), .place = servers->place});
  return ours;
}

}  // namespace gateway
