/// One loop's way into a pool: a node for each call, at the cost of comparing a number.
///
///     NodePool::Reader reader(pool);
///     PickOutcome picked = reader.acquire(*strategy, request, path, {.tried = tried}, rng, now);
///     if (!picked) return why(picked.miss);
///     ... ask picked.ticket.node() for picked.ticket.model_id() ...
///     picked.ticket.record(Outcome{.latency = later - now}, later);
#pragma once

#include <algorithm>
#include <llmroute/core/node_pick.hpp>
#include <llmroute/core/node_pool.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace llmroute {

class NodePool::Reader {
 public:
  explicit Reader(NodePool& pool) : pool_(&pool), snapshot_(pool.current()) {
    lists_.resize(snapshot_->slot_count());
  }

  /// A reader of one snapshot, whatever becomes of the pool: for a call that a replace() has
  /// overtaken.
  Reader(NodePool& pool, std::shared_ptr<const PoolSnapshot> snapshot)
      : pool_(&pool), snapshot_(std::move(snapshot)), follows_(false) {
    lists_.resize(snapshot_->slot_count());
  }

  /// The pool as it is now. Valid until the reader is asked anything else; a copy for longer.
  const std::shared_ptr<const PoolSnapshot>& snapshot() {
    follow();
    return snapshot_;
  }

  /// Picks a node for `request.model` (alias or id) that `besides` lets be asked; the strategy sees
  /// the id that nodes are asked for. `path` is what the node will be asked
  /// ("/v1/chat/completions"): nodes known to lack it come last. Constant time with strategies that
  /// draw, while most candidates can be had.
  /// A node with several keys is picked with one that neither rests nor has been refused.
  PickOutcome acquire(Strategy& strategy, const PickRequest& request, std::string_view path,
                      const Exclusions& besides, Rng& rng, Time now);

  /// NodePool::knows_model, at the cost of a comparison for the model asked last.
  bool knows_model(std::string_view model);

  /// Whether a node neither in `tried` nor `present` may be asked for the model.
  bool has_other(std::string_view model, std::span<const NodeId> tried, NodeId present, Time now);

 private:
  void follow();
  const CandidateList& list_of(CandidateSlot& slot, Time now);
  bool stale(const CandidateList& list, Time now) const noexcept;
  CandidateSlot* slot_of(std::string_view model);

  NodePool* pool_;
  std::shared_ptr<const PoolSnapshot> snapshot_;
  bool follows_ = true;
  std::vector<CandidateSlot::Copy> lists_;  // by the slot's ordinal
  std::string last_model_;
  CandidateSlot* last_slot_ = nullptr;  // of last_model_
  std::string known_model_;             // one that the present snapshot knows; empty: none yet
};

/// Takes over a new snapshot, if there is one.
inline void NodePool::Reader::follow() {
  if (snapshot_->version() == pool_->version_.load(std::memory_order_acquire)) return;
  if (!follows_) return;
  snapshot_ = pool_->current();
  lists_.assign(snapshot_->slot_count(), {});
  last_slot_ = nullptr;
  known_model_.clear();
}

inline bool NodePool::Reader::knows_model(std::string_view model) {
  follow();
  if (!model.empty() && model == known_model_) return true;
  if (!snapshot_->knows_model(model)) return false;
  known_model_ = model;
  return true;
}

inline bool NodePool::Reader::has_other(std::string_view model, std::span<const NodeId> tried,
                                        NodeId present, Time now) {
  follow();
  CandidateSlot* slot = slot_of(model);
  if (slot == nullptr) return false;
  const auto other = [&](const Member* member) {
    const NodeId id = member->node->id();
    return id != present && std::find(tried.begin(), tried.end(), id) == tried.end();
  };
  const CandidateList& list = list_of(*slot, now);
  return std::any_of(list.front.members.begin(), list.front.members.end(), other) ||
         std::any_of(list.behind.members.begin(), list.behind.members.end(), other);
}

/// Small lists are rebuilt at once, large ones at most every 10 ms: until then the breakers
/// themselves turn picks away. A list of nobody is no use to anyone.
inline bool NodePool::Reader::stale(const CandidateList& list, Time now) const noexcept {
  constexpr std::size_t small = 64;
  constexpr Duration pause = std::chrono::milliseconds(10);
  if (list.changes == pool_->state_.changes() && now < list.valid_until) return false;
  const std::size_t size = list.front.size() + list.behind.size();
  return size <= small || now - list.built_at >= pause;
}

inline const CandidateList& NodePool::Reader::list_of(CandidateSlot& slot, Time now) {
  CandidateSlot::Copy& copy = lists_[slot.ordinal()];
  if (copy.edition != slot.edition()) copy = slot.load();
  if (copy.list != nullptr && !stale(*copy.list, now)) return *copy.list;
  pool_->state_.settle_ejections(now);
  slot.rebuild(pool_->state_, copy.edition, now, [&] { return snapshot_->members(slot); });
  copy = slot.load();
  return *copy.list;
}

inline PickOutcome NodePool::Reader::acquire(Strategy& strategy, const PickRequest& request,
                                             std::string_view path, const Exclusions& besides,
                                             Rng& rng, Time now) {
  follow();
  PickOutcome outcome;
  CandidateSlot* slot = slot_of(request.model);
  if (slot == nullptr) {
    outcome.miss = PickMiss::unknown_model;
    return outcome;
  }
  const CandidateList& list = list_of(*slot, now);
  NodePick::Question question{strategy, request, path, besides, rng, now, slot->heard_of()};
  if (slot->heard_of()) question.request.model = slot->model_id();
  NodePick(pool_->state_, question, outcome).from(list);
  return outcome;
}

/// Most calls of a loop are for the model of the one before.
inline CandidateSlot* NodePool::Reader::slot_of(std::string_view model) {
  if (last_slot_ != nullptr && model == last_model_) return last_slot_;
  last_slot_ = snapshot_->slot(model);
  last_model_ = model;
  return last_slot_;
}

}  // namespace llmroute
