#include "router/loop_state.hpp"

#include "router/call_root.hpp"
#include "router/endpoints.hpp"
#include "router/router_core.hpp"

namespace llmroute::detail {

LoopState::LoopState(RouterCore& core) : reader(core.pool()), rng(core.draw_seed()) {}

/// What was made of earlier ones is of no use any more.
const Config& LoopState::latest_config() {
  const Settings& settings = settings_of(*reader.snapshot());
  if (std::exchange(settings_number_, settings.number) != settings.number) endpoints_.clear();
  return settings.config;
}

net::Endpoint LoopState::endpoint(const Node& node, std::string_view path, std::string_view query,
                                  std::uint32_t key) {
  const Config& config = latest_config();
  if (!query.empty()) {
    return api_endpoint(node.config(), std::string(path).append(query), key, config);
  }
  std::vector<Known>& known = endpoints_[node.revision()];
  for (const Known& candidate : known) {
    if (candidate.key == key && candidate.path == path) return candidate.endpoint;
  }
  known.push_back({std::string(path), key, api_endpoint(node.config(), path, key, config)});
  return known.back().endpoint;
}

void LoopState::end_all(Ending why) {
  while (roots.linked()) {
    auto* entry = static_cast<CallRoot::Entry*>(roots.next);
    entry->unlink();
    entry->root->end(why);
  }
}

}  // namespace llmroute::detail
