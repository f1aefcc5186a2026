/// What is known of a node and of a model before anything has happened: the keys of `nodes` and
/// `models`.
#pragma once

#include <chrono>
#include <cstddef>
#include <llmroute/core/time.hpp>
#include <llmroute/headers.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace llmroute {

/// What speaks at a node's URL. `automatic` assumes the common OpenAI dialect and nothing more.
enum class Provider { automatic, openai, azure, anthropic, vllm, sglang, llamacpp, tgi, triton };

/// Which HTTP a node is asked in. http:// is HTTP/1.1, always.
enum class HttpVersion {
  automatic,  ///< with https:// whichever of the two the node prefers
  http_1_1,
  http_2  ///< or nothing: a node that has only HTTP/1.1 fails
};

struct TlsConfig {
  std::string ca_file{};    ///< empty: the system's
  std::string cert_file{};  ///< client certificate, PEM
  std::string key_file{};
  bool verify = true;

  friend bool operator==(const TlsConfig&, const TlsConfig&) = default;
};

struct NodeConfig {
  std::string name{};             ///< identity; empty: the URL without its path
  std::string url{};              ///< scheme, host, port; a path in it is the base path
  std::string base_path = "/v1";  ///< used when url has no path; "" for none at all
  Provider provider = Provider::automatic;
  std::vector<std::string> models{};    ///< empty: learnt from GET models
  std::string api_key{};                ///< sent as Bearer; never logged
  std::vector<std::string> api_keys{};  ///< several, used in turn; after api_key if both are given
  std::string api_key_file{};           ///< whose content is api_key; read by Config::prepare
  double weight = 1;
  int priority = 0;  ///< lower first
  int capacity = 0;  ///< divisor of load scores; 0: max_concurrent_requests, else weight
  int max_concurrent_requests = 0;  ///< hard cap; 0: none
  std::map<std::string, std::string> labels{};
  HttpVersion http_version = HttpVersion::automatic;
  Duration max_connection_age = std::chrono::minutes(5);
  TlsConfig tls{};
  std::string proxy{};  ///< "env": the environment's
  Headers headers{};    ///< sent with every request to this node

  /// How many keys there are, and which; "#1" in messages is the first, key(0).
  std::size_t key_count() const noexcept { return (api_key.empty() ? 0U : 1U) + api_keys.size(); }
  std::string_view key(std::size_t index) const noexcept {
    if (!api_key.empty() && index-- == 0) return api_key;
    return index < api_keys.size() ? std::string_view(api_keys[index]) : std::string_view{};
  }

  /// The divisor of load scores; > 0.
  double load_capacity() const noexcept {
    if (capacity > 0) return capacity;
    if (max_concurrent_requests > 0) return max_concurrent_requests;
    return weight > 0 ? weight : 1;
  }

  friend bool operator==(const NodeConfig&, const NodeConfig&) = default;
};

/// What is done to a request on its way.
struct TransformsConfig {
  /// Put in front of the first system or developer message of a chat, as it stands; a system
  /// message of its own where there is none.
  std::string system_prompt_prefix{};

  friend bool operator==(const TransformsConfig&, const TransformsConfig&) = default;
};

/// Its text; empty is one without members.
using JsonObject = std::string;

struct ModelConfig {
  std::string name{};                       ///< what callers ask for
  std::string model_id{};                   ///< what nodes are asked for; empty: the name
  std::vector<std::string> nodes{};         ///< by name; empty: every node that serves model_id
  std::map<std::string, double> weights{};  ///< per node, for this model
  std::string strategy{};                   ///< empty: the router's
  std::vector<std::string> fallbacks{};  ///< other models, in order, when its nodes are exhausted
  std::vector<std::string> context_window_fallbacks{};  ///< when the prompt does not fit it
  JsonObject default_params{};    ///< fields for requests that do not give them
  JsonObject reasoning_config{};  ///< turns thinking on or off: see wire::Reasoning
  TransformsConfig transforms{};
  bool active = true;  ///< false: callers may not ask for it, and fallbacks pass it over

  friend bool operator==(const ModelConfig&, const ModelConfig&) = default;
};

}  // namespace llmroute
