/// Everything that can be set, as plain structs with defaults. The JSON form has the same names,
/// letter for letter; the guide's configuration page lists them.
#pragma once

#include <chrono>
#include <cstdint>
#include <llmroute/core/admission_queue.hpp>
#include <llmroute/core/circuit_breaker.hpp>
#include <llmroute/core/health_tracker.hpp>
#include <llmroute/core/hedge_policy.hpp>
#include <llmroute/core/node_pool.hpp>
#include <llmroute/core/rate_limiter.hpp>
#include <llmroute/result.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace llmroute {

/// What happens to a stream that dies after its first content.
enum class Resume : std::uint8_t {
  off,         ///< it ends with stream_interrupted
  safe,        ///< it goes on elsewhere where the result equals the uncut stream
  best_effort  ///< also where it is only plausible: the text so far as the answer's beginning
};

struct RouterConfig {
  std::string strategy = "auto";
  std::string default_model{};  ///< for a request that names none; empty: the only one there is
  UnlistedModels unlisted_models = UnlistedModels::serve;
  int max_retries = 2;        ///< extra attempts of one call
  double retry_budget = 0.2;  ///< see RetryBudget
  double retry_floor = 1;     ///< tokens a second
  Duration backoff = std::chrono::milliseconds(500);
  AllDown all_down = AllDown::fail_fast;
  Resume resume = Resume::safe;
  std::size_t max_event = 1 << 20;  ///< bytes of one SSE event
  std::uint64_t seed = 0;           ///< 0: from the system
};

/// Zero is off.
struct TimeoutsConfig {
  Duration connect = std::chrono::seconds(5);
  Duration headers = std::chrono::seconds(120);  ///< streams: until the response headers
  Duration response{};                           ///< plain calls: until the whole answer
  Duration first_content{};                      ///< streams: until the first content
  Duration idle =
      std::chrono::seconds(120);  ///< streams: between events, while the reader keeps up
  Duration attempt{};
  Duration total = std::chrono::seconds(600);
};

/// What a tenant may ask of a model in a minute. An empty name is any that no other entry names.
struct TenantModelLimits {
  std::string tenant{};
  std::string model{};
  std::int64_t rpm = 0;    ///< requests; 0: no limit
  std::int64_t tpm = 0;    ///< tokens, prompt and answer; 0: no limit
  std::int64_t burst = 0;  ///< requests at once, of a token bucket; 0: rpm
};

struct LimitsConfig {
  std::int64_t default_rpm = 0;  ///< of a tenant and a model that no entry fits; 0: no limit
  std::int64_t default_tpm = 0;
  RateAlgorithm algorithm = RateAlgorithm::sliding_window;
  std::vector<TenantModelLimits> per_tenant_model{};

  /// What counts for them: the entry that names both, else the tenant, else the model, else
  /// neither.
  RateLimits of(std::string_view tenant, std::string_view model) const noexcept;
};

struct Config {
  RouterConfig router{};
  TimeoutsConfig timeouts{};
  AdmissionOptions backpressure{};
  HealthOptions health{};
  BreakerOptions breaker{};
  HedgeOptions hedge{};
  LimitsConfig limits{};
  std::vector<NodeConfig> nodes{};
  std::vector<ModelConfig> models{};

  /// Reads the JSON form. `source` names the text in messages ("config.json"). An unknown key, a
  /// bad value or a duplicate is an invalid_config error: "source:line: key: what is wrong, the
  /// nearest right one".
  static Result<Config> from_json(std::string_view json, std::string_view source = "configuration");

  /// Checks what the structs alone cannot: URLs, names, ranges, references. Expands `${VAR}` in
  /// api_key and headers. Router::create does it; call it to check a configuration without running
  /// it.
  Result<void> prepare();
};

/// One entry of `nodes` in its JSON form, for Router::add_node and update_node; errors as in
/// Config::from_json.
Result<NodeConfig> node_from_json(std::string_view json, std::string_view source = "node");

}  // namespace llmroute
