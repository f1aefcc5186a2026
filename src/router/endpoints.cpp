#include "router/endpoints.hpp"

namespace llmroute::detail {

namespace {

constexpr std::string_view api_prefix = "/v1";

/// Splits "http://gpu-1:8000/custom" into origin and path.
std::pair<std::string_view, std::string_view> split(std::string_view url) {
  const std::size_t host = url.find("://") + 3;
  const std::size_t path = url.find('/', host);
  if (path == std::string_view::npos) return {url, {}};
  std::string_view rest = url.substr(path);
  while (!rest.empty() && rest.back() == '/') rest.remove_suffix(1);
  return {url.substr(0, path), rest};
}

net::EndpointOptions options_of(const NodeConfig& node, std::string url, std::size_t key,
                                HttpMethod method, const Config& config) {
  Headers headers = node.headers;
  if (const std::string_view secret = node.key(key);
      !secret.empty() && !headers.find("authorization")) {
    headers.add("Authorization", "Bearer " + std::string(secret));
  }
  return {.url = std::move(url),
          .method = method,
          .headers = std::move(headers),
          .tls = node.tls,
          .proxy = node.proxy,
          .http_version = node.http_version,
          .connect_timeout = config.timeouts.connect,
          .max_connection_age = node.max_connection_age};
}

net::Endpoint make(const NodeConfig& node, std::string url, std::size_t key, HttpMethod method,
                   const Config& config) {
  return net::Endpoint(options_of(node, std::move(url), key, method, config));
}

}  // namespace

std::string api_url(const NodeConfig& node, std::string_view path) {
  const auto [origin, own_base] = split(node.url);
  std::string url(origin);
  url += own_base.empty() ? std::string_view(node.base_path) : own_base;
  const bool prefixed = path.substr(0, api_prefix.size() + 1) == "/v1/";
  url += prefixed ? path.substr(api_prefix.size()) : path;
  return url;
}

std::string origin_url(const NodeConfig& node, std::string_view path) {
  return std::string(split(node.url).first) + std::string(path);
}

net::Endpoint api_endpoint(const NodeConfig& node, std::string_view path, std::size_t key,
                           const Config& config) {
  return make(node, api_url(node, path), key, HttpMethod::post, config);
}

net::Endpoint relay_endpoint(const NodeConfig& node, const Request& request, std::size_t key,
                             const Config& config) {
  net::EndpointOptions options =
      options_of(node, api_url(node, request.path), key, request.method, config);
  options.fresh_connection = !is_idempotent(request.method);
  return net::Endpoint(std::move(options));
}

net::Endpoint models_endpoint(const NodeConfig& node, std::size_t key, const Config& config) {
  return make(node, api_url(node, "/v1/models"), key, HttpMethod::get, config);
}

net::Endpoint health_endpoint(const NodeConfig& node, const Config& config) {
  return make(node, origin_url(node, config.health.path), 0, HttpMethod::get, config);
}

net::Endpoint metrics_endpoint(const NodeConfig& node, const Config& config, std::size_t most) {
  net::EndpointOptions options =
      options_of(node, origin_url(node, "/metrics"), 0, HttpMethod::get, config);
  options.max_body = most;
  return net::Endpoint(std::move(options));
}

}  // namespace llmroute::detail
