/// The document that tells how full each node is, in the shape that operators of vLLM fleets know.
#pragma once

#include <llmroute/router.hpp>
#include <string>

namespace gateway {

/// GET /load-stats. A node's load is what it reports to be running or what this gateway has there,
/// whichever is more; percentages are 0 to 100; what a node does not report is null. Nodes in the
/// order of the configuration.
std::string load_stats_json(const llmroute::Snapshot& snapshot);

}  // namespace gateway
