// Config from its JSON form. Every key stands here once, under the name it has in the struct.
#include <fmt/format.h>

#include <llmroute/config.hpp>

#include "config_locate.hpp"
#include "config_section.hpp"

namespace llmroute {

namespace {

using detail::ConfigFault;
using detail::ConfigSection;
using detail::Words;

constexpr std::pair<std::string_view, UnlistedModels> unlisted_words[] = {
    {"serve", UnlistedModels::serve}, {"refuse", UnlistedModels::refuse}};
constexpr std::pair<std::string_view, AllDown> all_down_words[] = {
    {"fail_fast", AllDown::fail_fast}, {"wait", AllDown::wait}, {"least_bad", AllDown::least_bad}};
constexpr std::pair<std::string_view, Resume> resume_words[] = {
    {"off", Resume::off}, {"safe", Resume::safe}, {"best_effort", Resume::best_effort}};
constexpr std::pair<std::string_view, FairBy> fair_words[] = {{"tenant", FairBy::tenant},
                                                              {"none", FairBy::none}};
constexpr std::pair<std::string_view, BreakerMode> mode_words[] = {
    {"reject", BreakerMode::reject}, {"deprioritize", BreakerMode::deprioritize}};
constexpr std::pair<std::string_view, RateAlgorithm> algorithm_words[] = {
    {"sliding_window", RateAlgorithm::sliding_window},
    {"token_bucket", RateAlgorithm::token_bucket}};
constexpr std::pair<std::string_view, Provider> provider_words[] = {
    {"auto", Provider::automatic},      {"openai", Provider::openai}, {"azure", Provider::azure},
    {"anthropic", Provider::anthropic}, {"vllm", Provider::vllm},     {"sglang", Provider::sglang},
    {"llamacpp", Provider::llamacpp},   {"tgi", Provider::tgi},       {"triton", Provider::triton}};
constexpr std::pair<std::string_view, HttpVersion> http_version_words[] = {
    {"auto", HttpVersion::automatic}, {"1.1", HttpVersion::http_1_1}, {"2", HttpVersion::http_2}};

void read_router(ConfigSection& in, RouterConfig& out) {
  in.read("strategy", out.strategy);
  in.read("default_model", out.default_model);
  in.read_word("unlisted_models", out.unlisted_models, unlisted_words);
  in.read("max_retries", out.max_retries);
  in.read("retry_budget", out.retry_budget);
  in.read("retry_floor", out.retry_floor);
  in.read("backoff", out.backoff);
  in.read_word("all_down", out.all_down, all_down_words);
  in.read_word("resume", out.resume, resume_words);
  in.read_size("max_event", out.max_event);
  in.read("seed", out.seed);
}

void read_timeouts(ConfigSection& in, TimeoutsConfig& out) {
  in.read("connect", out.connect);
  in.read("headers", out.headers);
  in.read("response", out.response);
  in.read("first_content", out.first_content);
  in.read("idle", out.idle);
  in.read("attempt", out.attempt);
  in.read("total", out.total);
}

void read_backpressure(ConfigSection& in, AdmissionOptions& out) {
  in.read("max_concurrent_requests", out.max_concurrent_requests);
  in.read_auto("max_queue_size", out.max_queue_size);
  in.read("queue_timeout", out.queue_timeout);
  in.read_word("fair_by", out.fair_by, fair_words);
}

void read_health(ConfigSection& in, HealthOptions& out) {
  in.read("active", out.active);
  in.read("path", out.path);
  in.read("interval", out.interval);
  in.read("timeout", out.timeout);
  in.read("healthy_threshold", out.healthy_threshold);
  in.read("unhealthy_threshold", out.unhealthy_threshold);
  in.read("min_success_rate", out.min_success_rate);
  in.read("max_response_time", out.max_response_time);
  in.read("min_requests", out.min_requests);
  in.read("window", out.window);
  in.read("base_ejection", out.base_ejection);
  in.read("max_ejection", out.max_ejection);
  in.read("max_ejected", out.max_ejected);
  in.read("slow_start", out.slow_start);
  in.read("metrics_interval", out.metrics_interval);
}

void read_breaker(ConfigSection& in, BreakerOptions& out) {
  in.read_word("mode", out.mode, mode_words);
  in.read("consecutive_failures", out.consecutive_failures);
  in.read("failure_rate", out.failure_rate);
  in.read("min_requests", out.min_requests);
  in.read("window", out.window);
  in.read("open", out.open);
  in.read("max_open", out.max_open);
  in.read("half_open_probes", out.half_open_probes);
}

void read_hedge(ConfigSection& in, HedgeOptions& out) {
  in.read("enabled", out.enabled);
  in.read_or("delay", "p95", out.delay);
  in.read("max_share", out.max_share);
}

void read_tenant_model(ConfigSection& in, TenantModelLimits& out) {
  in.read("tenant", out.tenant);
  in.read("model", out.model);
  in.read("rpm", out.rpm);
  in.read("tpm", out.tpm);
  in.read("burst", out.burst);
}

void read_limits(ConfigSection& in, LimitsConfig& out) {
  in.read("default_rpm", out.default_rpm);
  in.read("default_tpm", out.default_tpm);
  in.read_word("algorithm", out.algorithm, algorithm_words);
  in.list("per_tenant_model",
          [&](ConfigSection& s) { read_tenant_model(s, out.per_tenant_model.emplace_back()); });
}

void read_tls(ConfigSection& in, TlsConfig& out) {
  in.read("ca_file", out.ca_file);
  in.read("cert_file", out.cert_file);
  in.read("key_file", out.key_file);
  in.read("verify", out.verify);
}

void read_node(ConfigSection& in, NodeConfig& out) {
  in.read("name", out.name);
  in.read("url", out.url);
  in.read("base_path", out.base_path);
  in.read_word("provider", out.provider, provider_words);
  in.read("models", out.models);
  in.read("api_key", out.api_key);
  in.read("api_keys", out.api_keys);
  in.read("api_key_file", out.api_key_file);
  in.read("weight", out.weight);
  in.read("priority", out.priority);
  in.read("capacity", out.capacity);
  in.read("max_concurrent_requests", out.max_concurrent_requests);
  in.read("labels", out.labels);
  in.read_word("http_version", out.http_version, http_version_words);
  in.read("max_connection_age", out.max_connection_age);
  in.section("tls", [&](ConfigSection& tls) { read_tls(tls, out.tls); });
  in.read("proxy", out.proxy);
  in.read("headers", out.headers);
}

void read_model(ConfigSection& in, ModelConfig& out) {
  in.read("name", out.name);
  in.read("model_id", out.model_id);
  in.read("nodes", out.nodes);
  in.read("weights", out.weights);
  in.read("strategy", out.strategy);
  in.read("fallbacks", out.fallbacks);
  in.read("context_window_fallbacks", out.context_window_fallbacks);
  in.read_json("default_params", out.default_params);
  in.read_json("reasoning_config", out.reasoning_config);
  in.section("transforms", [&](ConfigSection& transforms) {
    transforms.read("system_prompt_prefix", out.transforms.system_prompt_prefix);
  });
  in.read("active", out.active);
}

/// A whole text that is one object, read by `read(section, out)`.
template <class T, class Read>
Result<T> read_whole(std::string_view json, std::string_view source, Read&& read) {
  if (json.starts_with("\xEF\xBB\xBF")) json.remove_prefix(3);  // as some editors save it
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  const simdjson::padded_string text(json);
  const auto error = text.data() == nullptr ? simdjson::MEMALLOC
                                            : parser.parse(text).get(root);  // null: no memory
  if (error == simdjson::MEMALLOC) return Error{.message = "out of memory"};
  if (error) {
    return Error{
        .code = ErrorCode::invalid_config,
        .message = fmt::format("{}: not valid JSON: {}", source, simdjson::error_message(error))};
  }
  T out;
  ConfigFault fault;
  ConfigSection section(root, "", fault);
  read(section, out);
  section.finish();
  if (!fault.found()) return out;
  return Error{.code = ErrorCode::invalid_config,
               .message = fmt::format("{}:{}: key \"{}\": {}", source,
                                      detail::line_of(json, fault.key), fault.key, fault.what),
               .param = fault.key};
}

}  // namespace

Result<Config> Config::from_json(std::string_view json, std::string_view source) {
  return read_whole<Config>(json, source, [](ConfigSection& in, Config& out) {
    in.section("router", [&](ConfigSection& s) { read_router(s, out.router); });
    in.section("timeouts", [&](ConfigSection& s) { read_timeouts(s, out.timeouts); });
    in.section("backpressure", [&](ConfigSection& s) { read_backpressure(s, out.backpressure); });
    in.section("health", [&](ConfigSection& s) { read_health(s, out.health); });
    in.section("breaker", [&](ConfigSection& s) { read_breaker(s, out.breaker); });
    in.section("hedge", [&](ConfigSection& s) { read_hedge(s, out.hedge); });
    in.section("limits", [&](ConfigSection& s) { read_limits(s, out.limits); });
    in.list("nodes", [&](ConfigSection& s) { read_node(s, out.nodes.emplace_back()); });
    in.list("models", [&](ConfigSection& s) { read_model(s, out.models.emplace_back()); });
  });
}

Result<NodeConfig> node_from_json(std::string_view json, std::string_view source) {
  return read_whole<NodeConfig>(json, source, read_node);
}

}  // namespace llmroute
