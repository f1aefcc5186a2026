// What a configuration has to hold beyond the kinds of its values: addresses, names, references,
// ranges, and the variables of the environment it refers to.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <llmroute/config.hpp>
#include <llmroute/core/make_strategy.hpp>
#include <llmroute/text.hpp>
#include <set>
#include <system_error>
#include <utility>

#include "config_model.hpp"
#include "config_secret.hpp"
#include "config_section.hpp"

namespace llmroute {

namespace {

using detail::ConfigFault;
using detail::has_control;

/// A header field's name: a token (RFC 9110, section 5.6.2).
bool is_field_name(std::string_view name) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           marks.find(c) != std::string_view::npos;
  });
}

/// What is wrong with a node's URL; empty: nothing.
std::string fault_of_url(std::string_view url) {
  const std::string_view scheme = url.substr(0, url.find("://"));
  if (url.empty()) return "is missing; give one like \"http://gpu-1:8000\"";
  const std::size_t begin = scheme == url ? 0 : scheme.size() + 3;
  const std::string_view rest = url.substr(begin);
  const std::string_view authority = rest.substr(0, rest.find('/'));
  if (authority.find('@') != std::string_view::npos)  // first: no other message may quote it
    return "must not hold a user or password; use api_key or headers";
  if (rest.find_first_of("?#") != std::string_view::npos) return "must not have ? or #";
  if (scheme == url || (scheme != "http" && scheme != "https")) {
    return fmt::format("\"{}\" must begin with http:// or https://", url);
  }
  if (has_control(url) || url.find(' ') != std::string_view::npos)
    return "holds a blank or a control character";
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  const std::string_view host = authority.substr(0, colon);
  if (host.empty()) return fmt::format("\"{}\" has no host", url);
  if (colon == std::string_view::npos) return {};
  const std::string_view digits = authority.substr(colon + 1);
  int port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size() || port < 1 || port > 65535) {
    return fmt::format("\"{}\" has no port from 1 to 65535", url);
  }
  return {};
}

/// Why a file cannot be read; empty: it can.
std::string fault_of_file(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "re");
  const bool read = file != nullptr && std::fgetc(file) != EOF;
  const int error = errno;
  const bool empty = file != nullptr && std::feof(file) != 0;
  if (file != nullptr) std::fclose(file);
  if (read) return {};
  return empty ? "it is empty" : std::generic_category().message(error);
}

/// The URL without its path: what a node is called when it has no name.
std::string origin_of(std::string_view url) {
  return std::string(url.substr(0, url.find('/', url.find("://") + 3)));
}

class Preparation {
 public:
  explicit Preparation(Config& config) : config_(config) {}

  Result<void> run() {
    strategy("router.strategy", config_.router.strategy);
    ranges();
    for (std::size_t i = 0; i < config_.nodes.size(); ++i)
      node(config_.nodes[i], fmt::format("nodes[{}]", i));
    for (std::size_t i = 0; i < config_.models.size(); ++i)
      model_name(config_.models[i], fmt::format("models[{}]", i));
    for (std::size_t i = 0; i < config_.models.size(); ++i)
      model(config_.models[i], fmt::format("models[{}]", i));
    limits();
    if (!fault_.found()) return {};
    return Error{.code = ErrorCode::invalid_config,
                 .message = fmt::format("key \"{}\": {}", fault_.key, fault_.what),
                 .param = fault_.key};
  }

 private:
  void strategy(std::string key, const std::string& name) {
    if (make_strategy(name)) return;
    const std::vector<std::string_view> names = strategy_names();
    fault_.note(std::move(key), fmt::format("there is no strategy \"{}\"; nearest: \"{}\"", name,
                                            nearest(name, names)));
  }

  void at_least(std::string_view key, double value, double least) {
    if (!(value >= least))
      fault_.note(std::string(key),
                  fmt::format("{} is out of range; the least is {}", value, least));
  }
  void at_most(std::string_view key, double value, double most) {
    if (!(value <= most))
      fault_.note(std::string(key), fmt::format("{} is out of range; the most is {}", value, most));
  }

  void ranges() {
    at_least("router.max_retries", config_.router.max_retries, 0);
    at_least("router.retry_budget", config_.router.retry_budget, 0);
    at_least("router.retry_floor", config_.router.retry_floor, 0);
    at_least("router.max_event", static_cast<double>(config_.router.max_event), 1024);
    at_least("backpressure.max_concurrent_requests", config_.backpressure.max_concurrent_requests,
             0);
    at_least("health.interval", seconds(config_.health.interval), 0.01);
    at_least("health.metrics_interval", seconds(config_.health.metrics_interval), 0.01);
    at_least("health.timeout", seconds(config_.health.timeout), 0.001);
    at_least("health.healthy_threshold", config_.health.healthy_threshold, 1);
    at_least("health.unhealthy_threshold", config_.health.unhealthy_threshold, 1);
    at_most("health.min_success_rate", config_.health.min_success_rate, 1);
    at_most("health.max_ejected", config_.health.max_ejected, 1);
    at_most("breaker.failure_rate", config_.breaker.failure_rate, 1);
    at_least("breaker.half_open_probes", config_.breaker.half_open_probes, 1);
    at_most("hedge.max_share", config_.hedge.max_share, 1);
    at_least("breaker.open", seconds(config_.breaker.open), 0.001);
    if (config_.health.path.empty() || config_.health.path.front() != '/') {
      fault_.note("health.path", fmt::format("\"{}\" must begin with /", config_.health.path));
    }
  }

  void node(NodeConfig& node, const std::string& path) {
    if (std::string what = fault_of_url(node.url); !what.empty())
      return fault_.note(path + ".url", what);
    while (node.url.back() == '/') node.url.pop_back();
    if (node.name.empty()) node.name = origin_of(node.url);
    if (has_control(node.name)) fault_.note(path + ".name", "holds a control character");
    if (!names_.insert(node.name).second) {
      fault_.note(path + ".name", fmt::format("\"{}\" is another node's name already", node.name));
    }
    if (!node.base_path.empty() && node.base_path.front() != '/') {
      fault_.note(path + ".base_path", fmt::format("\"{}\" must begin with /", node.base_path));
    }
    if (node.http_version == HttpVersion::http_2 && !node.url.starts_with("https")) {
      fault_.note(path + ".http_version",
                  "HTTP/2 is spoken over TLS only, and url begins with http://");
    }
    tls(node.tls, path + ".tls.");
    at_least(path + ".weight", node.weight, 0);
    at_least(path + ".capacity", node.capacity, 0);
    at_least(path + ".max_concurrent_requests", node.max_concurrent_requests, 0);
    detail::prepare_keys(node, path, fault_);
    Headers headers;
    for (const Header& field : node.headers) {
      if (!is_field_name(field.name)) fault_.note(path + ".headers", "holds a name that is none");
      std::string value = field.value;
      detail::expand(value, fmt::format("{}.headers.{}", path, field.name), fault_);
      headers.add(field.name, std::move(value));
    }
    node.headers = std::move(headers);
  }

  void tls(const TlsConfig& tls, const std::string& path) {
    const std::pair<std::string_view, const std::string&> files[] = {
        {"ca_file", tls.ca_file}, {"cert_file", tls.cert_file}, {"key_file", tls.key_file}};
    for (const auto& [key, file] : files) {
      if (file.empty()) continue;
      if (std::string what = fault_of_file(file); !what.empty())
        fault_.note(path + std::string(key), fmt::format("\"{}\" cannot be read: {}", file, what));
    }
    if (tls.cert_file.empty() && !tls.key_file.empty())
      fault_.note(path + "key_file", "is of use beside cert_file only");
  }

  void model_name(ModelConfig& model, const std::string& path) {
    if (model.name.empty()) fault_.note(path + ".name", "is missing");
    if (model.model_id.empty()) model.model_id = model.name;
    if (!models_.insert(model.name).second) {
      fault_.note(path + ".name",
                  fmt::format("\"{}\" is another model's name already", model.name));
    }
  }

  void model(const ModelConfig& model, const std::string& path) {
    if (!model.strategy.empty()) strategy(path + ".strategy", model.strategy);
    detail::check_shaping(model, path, fault_);
    const std::vector<std::string_view> known(names_.begin(), names_.end());
    for (std::size_t i = 0; i < model.nodes.size(); ++i) {
      if (names_.count(model.nodes[i]) != 0) continue;
      fault_.note(fmt::format("{}.nodes[{}]", path, i),
                  fmt::format("there is no node \"{}\"; nearest: \"{}\"", model.nodes[i],
                              nearest(model.nodes[i], known)));
    }
    for (const auto& [name, weight] : model.weights) {
      if (names_.count(name) != 0) continue;
      fault_.note(
          fmt::format("{}.weights.{}", path, name),
          fmt::format("there is no node \"{}\"; nearest: \"{}\"", name, nearest(name, known)));
    }
    if (config_.router.unlisted_models == UnlistedModels::serve)
      return;  // a fallback may be any model a node has
    check_chain(model.fallbacks, fmt::format("{}.fallbacks", path));
    check_chain(model.context_window_fallbacks, fmt::format("{}.context_window_fallbacks", path));
  }

  /// Of two entries for the same the second would never count.
  void limits() {
    std::set<std::pair<std::string_view, std::string_view>> seen;
    const std::vector<TenantModelLimits>& entries = config_.limits.per_tenant_model;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const auto& [tenant, model, rpm, tpm, burst] = entries[i];
      const std::string path = fmt::format("limits.per_tenant_model[{}]", i);
      if (!seen.emplace(tenant, model).second) {
        fault_.note(path, fmt::format("tenant \"{}\" and model \"{}\" have an entry before it",
                                      tenant, model));
      }
      if (burst > 0 && rpm == 0) fault_.note(path + ".burst", "is of use beside rpm only");
      if (burst > 0 && config_.limits.algorithm != RateAlgorithm::token_bucket) {
        fault_.note(path + ".burst", "is of use with limits.algorithm = \"token_bucket\" only");
      }
    }
  }

  void check_chain(const std::vector<std::string>& chain, const std::string& path) {
    const std::vector<std::string_view> listed(models_.begin(), models_.end());
    for (std::size_t i = 0; i < chain.size(); ++i) {
      if (models_.count(chain[i]) != 0) continue;
      fault_.note(fmt::format("{}[{}]", path, i),
                  fmt::format("there is no model \"{}\"; nearest: \"{}\"", chain[i],
                              nearest(chain[i], listed)));
    }
  }

  Config& config_;
  ConfigFault fault_;
  std::set<std::string> names_;
  std::set<std::string> models_;
};

}  // namespace

RateLimits LimitsConfig::of(std::string_view tenant, std::string_view model) const noexcept {
  const TenantModelLimits* best = nullptr;
  int nearest = -1;
  for (const TenantModelLimits& entry : per_tenant_model) {
    if (!entry.tenant.empty() && entry.tenant != tenant) continue;
    if (!entry.model.empty() && entry.model != model) continue;
    const int fits = (entry.tenant.empty() ? 0 : 2) + (entry.model.empty() ? 0 : 1);
    if (std::exchange(nearest, std::max(nearest, fits)) < fits) best = &entry;
  }
  if (best == nullptr) {
    return {.requests = {.per_minute = default_rpm},
            .tokens = {.per_minute = default_tpm},
            .algorithm = algorithm};
  }
  return {.requests = {.per_minute = best->rpm, .burst = best->burst},
          .tokens = {.per_minute = best->tpm},
          .algorithm = algorithm};
}

Result<void> Config::prepare() { return Preparation(*this).run(); }

}  // namespace llmroute
