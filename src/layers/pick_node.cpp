#include "layers/pick_node.hpp"

#include "router/loop_state.hpp"
#include "router/router_core.hpp"

namespace llmroute::detail {

namespace {

/// A node that has failed the call for another model may serve this one well, but any other is
/// likelier to.
PickOutcome pick_by(NodePool::Reader& reader, CallState& call, std::span<const NodeId> besides) {
  const Exclusions exclusions{
      .tried = besides, .put_off = call.failed, .refused = call.refused_keys};
  return reader.acquire(call.strategy(), call.pick, call.path, exclusions, call.local.rng,
                        call.loop.now());
}

bool means_the_same(const PoolSnapshot& then, const PoolSnapshot& now, std::string_view model) {
  const ModelConfig* before = then.alias(model);
  const ModelConfig* after = now.alias(model);
  if (before == nullptr || after == nullptr) return before == after;
  return *before == *after;
}

bool nobody_serves(const PickOutcome& picked) noexcept {
  return picked.miss == PickMiss::unknown_model || picked.miss == PickMiss::no_nodes;
}

/// No node of the list will do, however long one waits.
bool nobody_left(const PickOutcome& picked) noexcept {
  return nobody_serves(picked) || picked.miss == PickMiss::all_tried ||
         picked.miss == PickMiss::all_down;
}

}  // namespace

PickOutcome pick_node(CallState& call, std::span<const NodeId> besides) {
  NodePool::Reader& reader = call.local.reader;
  const std::shared_ptr<const PoolSnapshot>& now = reader.snapshot();
  const bool reloaded = now->attachment() != call.snapshot->attachment();
  call.overtaken = reloaded && !means_the_same(*call.snapshot, *now, call.pick.model);
  if (!call.overtaken) {
    PickOutcome picked = pick_by(reader, call, besides);
    call.overtaken = reloaded && nobody_serves(picked);
    if (!call.overtaken) return picked;
  }
  NodePool::Reader before(call.core.pool(), call.snapshot);
  PickOutcome picked = pick_by(before, call, besides);
  if (!nobody_left(picked)) return picked;
  PickOutcome of_now = pick_by(reader, call, besides);
  return of_now ? std::move(of_now) : std::move(picked);
}

}  // namespace llmroute::detail
