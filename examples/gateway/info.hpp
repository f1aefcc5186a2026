/// The documents the gateway writes about itself and its nodes: values in, JSON out.
#pragma once

#include <cstdint>
#include <llmroute/router.hpp>
#include <string>
#include <string_view>

namespace gateway {

/// Whether the nodes can serve: each can, some can, or none.
enum class Health { ok, degraded, unavailable };

/// May be asked right now.
bool usable(const llmroute::NodeSnapshot& node);

Health health_of(const llmroute::Snapshot& snapshot);

/// GET /health. The nodes only for those who may see them.
std::string health_json(const llmroute::Snapshot& snapshot, const llmroute::Config& config,
                        bool with_nodes);

/// GET /stats.
std::string stats_json(const llmroute::Snapshot& snapshot, double uptime_seconds,
                       std::uint64_t requests);

/// GET /v1/models, and one element of it. `created`: seconds since 1970, the same for all: nodes do
/// not say.
std::string models_json(const llmroute::Snapshot& snapshot, std::int64_t created);
std::string model_json(std::string_view id, std::int64_t created);

}  // namespace gateway
