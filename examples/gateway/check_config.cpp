/// A line a subject; lists below it.
#include "check_config.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <iterator>
#include <llmroute/core/time.hpp>

#include "named_files.hpp"

namespace gateway {
namespace {

using llmroute::Config;
using llmroute::ModelConfig;
using llmroute::NodeConfig;
using llmroute::TenantModelLimits;

constexpr std::string_view mask = "****";

template <class... Args>
void say(std::string& out, std::string_view subject, fmt::format_string<Args...> text,
         Args&&... args) {
  fmt::format_to(std::back_inserter(out), "{:<11}", subject);
  fmt::format_to(std::back_inserter(out), text, std::forward<Args>(args)...);
  out += '\n';
}

/// redis://****@host:6379/0: without who asks, and without parameters.
std::string masked_url(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == url.npos) return std::string(url);
  const std::size_t at = url.rfind('@');  // a password may hold any character, this one as well
  std::string out(url.substr(0, scheme + 3));
  if (at != url.npos) out += fmt::format("{}@", mask);
  const std::string_view rest = url.substr(at == url.npos ? scheme + 3 : at + 1);
  out += rest.substr(0, rest.find('?'));
  if (rest.find('?') != rest.npos) out += fmt::format("?{}", mask);
  return out;
}

std::string names_of(const std::vector<std::string>& names, std::string_view none) {
  return names.empty() ? std::string(none) : fmt::format("{}", fmt::join(names, ", "));
}

std::string a_minute(std::int64_t number, std::string_view of) {
  return number == 0 ? fmt::format("any number of {}", of) : fmt::format("{} {}", number, of);
}

std::string seconds(llmroute::Duration time) {
  return time == llmroute::Duration{} ? "off" : fmt::format("{:g} s", llmroute::seconds(time));
}

std::string node_line(const NodeConfig& node) {
  std::string line = fmt::format("{}  {}", node.name, node.url);
  const auto add = [&](bool is, std::string_view what) {
    if (is) line.append(", ").append(what);
  };
  add(node.weight != 1, fmt::format("weight {:g}", node.weight));
  add(node.priority != 0, fmt::format("priority {}", node.priority));
  add(node.capacity != 0, fmt::format("capacity {}", node.capacity));
  add(node.max_concurrent_requests != 0,
      fmt::format("at most {} requests at a time", node.max_concurrent_requests));
  add(!node.models.empty(), fmt::format("models {}", fmt::join(node.models, " ")));
  add(node.key_count() > 0, fmt::format("{} {}", node.key_count() == 1 ? "key" : "keys", mask));
  return line;
}

std::string model_line(const ModelConfig& model) {
  std::string line = fmt::format("{} = {} on {}", model.name, model.model_id,
                                 names_of(model.nodes, "every node that has it"));
  if (!model.strategy.empty()) line += fmt::format(" by {}", model.strategy);
  if (!model.fallbacks.empty()) line += fmt::format(", else {}", names_of(model.fallbacks, ""));
  if (!model.active) line += ", not active";
  return line;
}

std::string limit_line(const TenantModelLimits& limit) {
  return fmt::format("tenant {}, model {}: {} and {} a minute{}",
                     limit.tenant.empty() ? "any" : limit.tenant,
                     limit.model.empty() ? "any" : limit.model, a_minute(limit.rpm, "requests"),
                     a_minute(limit.tpm, "tokens"),
                     limit.burst > 0 ? fmt::format(", {} at once", limit.burst) : "");
}

void say_router(std::string& out, const Config& config) {
  const auto& router = config.router;
  say(out, "strategy", "{}, {} retries, attempt {}, breaker open after {} failures for {}",
      router.strategy, router.max_retries, seconds(config.timeouts.attempt),
      config.breaker.consecutive_failures, seconds(config.breaker.open));
  say(out, "health", "{}",
      config.health.active
          ? fmt::format("{} every {}", config.health.path, seconds(config.health.interval))
          : std::string("not asked for"));
  say(out, "nodes", "{}", config.nodes.size());
  for (const NodeConfig& node : config.nodes) say(out, "", "{}", node_line(node));
  say(out, "models", "{}{}", config.models.size(),
      config.router.unlisted_models == llmroute::UnlistedModels::serve
          ? ", and those that nodes have"
          : "");
  for (const ModelConfig& model : config.models) say(out, "", "{}", model_line(model));
}

void say_limits(std::string& out, const llmroute::LimitsConfig& limits) {
  const bool any =
      limits.default_rpm > 0 || limits.default_tpm > 0 || !limits.per_tenant_model.empty();
  if (!any) return say(out, "limits", "none");
  say(out, "limits", "by {}: {} and {} a minute",
      limits.algorithm == llmroute::RateAlgorithm::token_bucket ? "token bucket" : "sliding window",
      a_minute(limits.default_rpm, "requests"), a_minute(limits.default_tpm, "tokens"));
  for (const TenantModelLimits& one : limits.per_tenant_model) say(out, "", "{}", limit_line(one));
}

void say_auth(std::string& out, const AuthOptions& auth) {
  std::vector<std::string> ways;
  if (!auth.auth_token.empty()) ways.push_back(fmt::format("token {}", mask));
  if (!auth.tokens.empty())
    ways.push_back(fmt::format("tokens of tenants: {}", auth.tokens.size()));
  if (auth.keys) ways.emplace_back("keys of the store");
  say(out, "auth", "{}", names_of(ways, "none: whoever reaches it may use it"));
  for (const auto& [token, tenant] : auth.tokens) say(out, "", "{} = {}", mask, tenant);
  say(out, "admin", "{}", auth.admin_key.empty() ? "off" : fmt::format("key {}", mask));
}

}  // namespace

std::string description_of(const Options& options) {
  std::string out;
  const ServerOptions& server = options.server;
  say(out, "listen", "{}:{}{}", server.host, server.port,
      server.tls.cert_file.empty() ? "" : ", TLS");
  if (!server.admin_listen.empty()) say(out, "", "{} for the admin API", server.admin_listen);
  say_auth(out, options.auth);
  Config config = options.router;
  (void)config.prepare();  // names and ids that were left out; it was good before
  say_router(out, config);
  say_limits(out, config.limits);
  if (options.needs_store()) say(out, "store", "{}", masked_url(options.store.database_url));
  if (!options.store.redis_url.empty()) {
    say(out, "redis", "{}: not used, limits are kept in this process",
        masked_url(options.store.redis_url));
  }
  say(out, "reload", "{}", seconds(options.reload.interval));
  return out;
}

int check_config(const Flags& flags, const Environment& environment) {
  const auto options = load(flags, environment);
  if (!options) {
    for (const llmroute::Error& fault : faults(flags, environment)) {
      fmt::print(stderr, "llmroute-gateway: {}\n", fault.message);
    }
    return 2;
  }
  if (const auto there = check_named_files(*options); !there) {
    fmt::print(stderr, "llmroute-gateway: {}\n", there.error().message);
    return 2;
  }
  const bool file = !options->source.empty();
  fmt::print("{}: good{}\n{}", file ? options->source : "environment",
             file ? fmt::format(" ({})", options->form) : "", description_of(*options));
  return 0;
}

}  // namespace gateway
