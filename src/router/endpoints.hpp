/// Where things are on a node, as the transport wants to know it.
#pragma once

#include <llmroute/config.hpp>
#include <llmroute/core/node_config.hpp>
#include <llmroute/router.hpp>
#include <string>
#include <string_view>

#include "net/http_transfer.hpp"

namespace llmroute::detail {

/// The URL of an API path: "/v1/chat/completions" on "http://gpu-1:8000" with base path "/v1", or
/// on "https://host/custom/v1" below that.
std::string api_url(const NodeConfig& node, std::string_view path);

/// The same path on the node's origin, beside the base path: where /health is.
std::string origin_url(const NodeConfig& node, std::string_view path);

/// `key`: the place of the node's key that is sent, from 0.
net::Endpoint api_endpoint(const NodeConfig& node, std::string_view path, std::size_t key,
                           const Config& config);
/// For a request that is sent on as it is.
net::Endpoint relay_endpoint(const NodeConfig& node, const Request& request, std::size_t key,
                             const Config& config);
net::Endpoint models_endpoint(const NodeConfig& node, std::size_t key, const Config& config);
net::Endpoint health_endpoint(const NodeConfig& node, const Config& config);
/// A page beyond `most` bytes is not read to its end.
net::Endpoint metrics_endpoint(const NodeConfig& node, const Config& config, std::size_t most);

}  // namespace llmroute::detail
