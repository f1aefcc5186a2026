/// The nodes that may be asked for one model, made ready ahead of the picks so that a pick need not
/// walk the fleet.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <llmroute/core/pool_state.hpp>
#include <llmroute/core/strategy.hpp>
#include <llmroute/core/weight_table.hpp>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace llmroute {

/// Why no node was picked.
enum class PickMiss : std::uint8_t {
  none,           ///< one was
  unknown_model,  ///< neither configured nor, as far as known, on any node
  no_nodes,       ///< nobody serves it now: none configured, or all draining
  all_tried,      ///< every node that may be asked has been tried
  all_busy,       ///< every untried one is at its own cap
  all_resting,    ///< the keys of all rest until retry_at, or were refused to this call
  all_down        ///< every untried one is behind a breaker until retry_at
};

/// A node in its role for one model.
struct Member {
  std::shared_ptr<const Node> node;
  PairState* pair;  ///< the node's state keeps it alive
  double weight;    ///< before slow start
};

/// Nodes of one rank, as a strategy wants them. Immutable.
struct CandidateGroup {
  std::vector<NodeView> views;
  std::vector<const Member*> members;  ///< of the same nodes
  WeightTable weights;
  bool forced = false;  ///< they are asked although their breakers are open

  bool empty() const noexcept { return views.empty(); }
  std::size_t size() const noexcept { return views.size(); }
};

/// Who may be asked, as of one moment. Immutable; the members belong to the slot.
struct CandidateList {
  CandidateGroup front;
  CandidateGroup behind;           ///< only when nobody in front can be had
  PickMiss miss = PickMiss::none;  ///< why both are empty
  Time retry_at = never;           ///< with it
  Time built_at = Time::min();
  Time valid_until = never;   ///< some ban or rest ends then: a moment, not an event
  std::uint64_t changes = 0;  ///< PoolState::changes() it has taken in
};

/// Builds one list out of what is known at one moment. Rules of precedence, strongest first:
/// draining and resting nodes are out; open breakers are out, or behind, as the options say; ill
/// health is out too, unless that would leave nobody (then it is ignored: better a doubtful node
/// than none). A model marked absent everywhere is asked for all the same: the node's own 404 is
/// the better answer.
class CandidateBuilder {
 public:
  CandidateBuilder(const PoolState& pool, bool heard_of, std::string_view model_id, Time now)
      : pool_(pool), heard_of_(heard_of), model_id_(model_id), now_(now) {}

  std::shared_ptr<const CandidateList> build(std::span<const Member> members);

 private:
  struct Standing {
    const Member* member = nullptr;
    bool absent = false;
    bool resting = false;
    bool open = false;       // one of its breakers
    bool node_open = false;  // the one of the whole node
    bool well = true;
    double weight = 1;
    Time again = Time::min();  // when a rest or an open breaker ends
  };

  using Standings = std::vector<Standing>;

  Standing judge(const Member& member);
  void expires(Time moment) noexcept;
  void slow_start_step() noexcept;
  template <class Bad>
  static void drop_unless_all(Standings& standings, Bad&& bad);
  void sort_out(Standings& standings);
  void all_open(Standings& standings);
  CandidateGroup group(const Standings& standings) const;
  static Time earliest(const Standings& standings) noexcept;

  const PoolState& pool_;
  bool heard_of_;
  std::string_view model_id_;
  Time now_;
  std::shared_ptr<CandidateList> list_ = std::make_shared<CandidateList>();
};

inline std::shared_ptr<const CandidateList> CandidateBuilder::build(
    std::span<const Member> members) {
  list_->built_at = now_;
  list_->changes = pool_.changes();  // before the look, so that what comes during it counts as new
  Standings standings;
  standings.reserve(members.size());
  for (const Member& member : members) {
    if (!member.node->draining()) standings.push_back(judge(member));
  }
  list_->miss = PickMiss::no_nodes;
  if (!standings.empty()) sort_out(standings);
  if (!list_->front.empty()) list_->miss = PickMiss::none;
  return list_;
}

inline void CandidateBuilder::expires(Time moment) noexcept {
  if (moment > now_) list_->valid_until = std::min(list_->valid_until, moment);
}

/// Slow start changes weights all the time; a twentieth at a time is smooth enough.
inline void CandidateBuilder::slow_start_step() noexcept {
  expires(after(now_, std::max<Duration>(pool_.options().health.slow_start / 20, Duration{1})));
}

inline CandidateBuilder::Standing CandidateBuilder::judge(const Member& member) {
  NodeState& state = member.node->state();
  const std::lock_guard guard(state.lock);
  Standing standing{.member = &member};
  const auto look_at = [&](const CircuitBreaker& breaker) {
    if (breaker.state(now_) != BreakerState::open) return false;
    standing.open = true;
    standing.again = std::max(standing.again, breaker.retry_at());
    return true;
  };
  standing.node_open = look_at(state.breaker);
  look_at(member.pair->breaker);
  const Time rest = member.node->keys_rest_until(member.pair);
  standing.resting = rest > now_;
  standing.again = std::max(standing.again, rest);
  if (heard_of_) {
    standing.absent = state.lacks(model_id_, now_);
    expires(state.absent_until(model_id_));
  }
  standing.well = state.health.in(now_);
  const double factor = state.health.weight_factor(now_);
  standing.weight = member.weight * factor;
  if (factor < 1) slow_start_step();
  expires(standing.again);
  expires(state.health.ejected_until());
  return standing;
}

/// Drops those that `bad` holds for, unless it holds for everyone.
template <class Bad>
void CandidateBuilder::drop_unless_all(Standings& standings, Bad&& bad) {
  if (!std::all_of(standings.begin(), standings.end(), bad)) std::erase_if(standings, bad);
}

inline Time CandidateBuilder::earliest(const Standings& standings) noexcept {
  Time first = never;
  for (const Standing& standing : standings) first = std::min(first, standing.again);
  return first;
}

inline void CandidateBuilder::sort_out(Standings& standings) {
  drop_unless_all(standings, [](const Standing& s) { return s.absent; });
  list_->retry_at = earliest(standings);
  Standings open;
  const auto resting = [](const Standing& s) { return s.resting; };
  std::erase_if(standings, resting);
  if (standings.empty()) {
    list_->miss = PickMiss::all_resting;
    return;
  }
  const auto is_open = [](const Standing& s) { return s.open; };
  std::copy_if(standings.begin(), standings.end(), std::back_inserter(open), is_open);
  std::erase_if(standings, is_open);
  if (standings.empty()) return all_open(open);
  drop_unless_all(standings, [](const Standing& s) { return !s.well; });
  list_->front = group(standings);
  if (pool_.options().breaker.mode == BreakerMode::deprioritize) {
    list_->behind = group(open);
    list_->behind.forced = true;
  }
}

/// Nobody is left that a breaker does not keep out. The least bad are those whose connection at
/// least works.
inline void CandidateBuilder::all_open(Standings& open) {
  list_->miss = PickMiss::all_down;
  const bool ask = pool_.options().all_down == AllDown::least_bad ||
                   pool_.options().breaker.mode == BreakerMode::deprioritize;
  if (!ask) return;
  drop_unless_all(open, [](const Standing& s) { return s.node_open; });
  drop_unless_all(open, [](const Standing& s) { return !s.well; });
  list_->front = group(open);
  list_->front.forced = true;
}

inline CandidateGroup CandidateBuilder::group(const Standings& standings) const {
  CandidateGroup group;
  std::vector<double> weights;
  group.views.reserve(standings.size());
  group.members.reserve(standings.size());
  weights.reserve(standings.size());
  for (const Standing& standing : standings) {
    const Node& node = *standing.member->node;
    group.views.emplace_back(node.config(), node.stats(), standing.weight);
    group.members.push_back(standing.member);
    weights.push_back(standing.weight);
  }
  group.weights = WeightTable(weights);
  return group;
}

/// Where the present list of one model is kept. Thread safe; members are fixed.
class CandidateSlot {
 public:
  /// `ordinal` is its place among the slots of its snapshot. `heard_of`: the model is configured or
  /// on some node's list.
  CandidateSlot(std::string model_id, std::size_t ordinal, bool heard_of)
      : model_id_(std::move(model_id)), ordinal_(ordinal), heard_of_(heard_of) {}

  std::string_view model_id() const noexcept { return model_id_; }
  std::size_t ordinal() const noexcept { return ordinal_; }
  bool heard_of() const noexcept { return heard_of_; }

  /// Which list is the present one; 0: none has been built. A reader compares it with that of its
  /// own copy.
  std::uint64_t edition() const noexcept { return edition_.load(std::memory_order_acquire); }

  struct Copy {
    std::shared_ptr<const CandidateList> list;
    std::uint64_t edition = 0;
  };
  Copy load() const {
    const std::lock_guard guard(publish_lock_);
    return {list_, edition_.load(std::memory_order_relaxed)};
  }

  /// Builds a new list if `old` is (still) the present one and nobody else is at it: then the old
  /// one is good enough. `members(slot)` is called once, for the first list.
  template <class MakeMembers>
  void rebuild(const PoolState& pool, std::uint64_t old, Time now, MakeMembers&& make_members);

  void reset_after_fork() noexcept {
    build_lock_.reset_after_fork();
    publish_lock_.reset_after_fork();
  }

 private:
  std::string model_id_;
  std::size_t ordinal_;
  bool heard_of_;
  std::atomic<std::uint64_t> edition_{0};
  SpinLock build_lock_;            // guards members_ while they are made
  mutable SpinLock publish_lock_;  // guards list_
  std::vector<Member> members_;
  std::shared_ptr<const CandidateList> list_;
};

template <class MakeMembers>
void CandidateSlot::rebuild(const PoolState& pool, std::uint64_t old, Time now,
                            MakeMembers&& make_members) {
  std::unique_lock guard(build_lock_, std::try_to_lock);
  if (!guard.owns_lock()) {
    if (old != 0) return;
    guard.lock();  // there is no old list to use: wait for the first
  }
  if (edition() != old) return;
  if (old == 0) members_ = make_members();
  std::shared_ptr<const CandidateList> built =
      CandidateBuilder(pool, heard_of_, model_id_, now).build(members_);
  const std::lock_guard publishing(publish_lock_);
  list_.swap(built);  // the old one is freed outside the lock, or lives on with its readers
  edition_.fetch_add(1, std::memory_order_release);
}

}  // namespace llmroute
