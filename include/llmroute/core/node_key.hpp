/// What is known of one key of a node: whether it rests, and for which models. A provider limits
/// and refuses keys one by one, so a node goes on with those that are left.
#pragma once

#include <algorithm>
#include <cstdint>
#include <llmroute/core/failure.hpp>
#include <llmroute/core/time.hpp>
#include <utility>
#include <vector>

namespace llmroute {

struct PairState;

/// Names a key for as long as the pool lives, also when its place in the configuration changes.
enum class KeyId : std::uint32_t {};

/// A key that was refused in the course of a call, which is not to use it again.
struct KeyRefusal {
  KeyId key;
  FailureKind why;
};

/// Under the node's lock, but for the id. Does not know the secret itself.
class NodeKey {
 public:
  explicit NodeKey(KeyId id) noexcept : id_(id) {}

  KeyId id() const noexcept { return id_; }

  /// Not to be used for a model (null: for any) until then. A shorter rest does not cut a longer
  /// one short.
  void rest(const PairState* pair, Time until);

  /// When it may be used for a model; null: when its rest for all models ends.
  Time rests_until(const PairState* pair) const noexcept;

  /// Whether it rests for any model at all.
  bool rests_somewhere(Time now) const noexcept;

  std::uint64_t last_turn = 0;  ///< of NodeState::key_turns, when it was used last

 private:
  KeyId id_;
  Time all_until_ = Time::min();
  std::vector<std::pair<const PairState*, Time>> until_;  // no longer than the node's list of pairs
};

inline void NodeKey::rest(const PairState* pair, Time until) {
  if (pair == nullptr) {
    all_until_ = std::max(all_until_, until);
    return;
  }
  for (auto& [known, rest] : until_) {
    if (known != pair) continue;
    rest = std::max(rest, until);
    return;
  }
  until_.emplace_back(pair, until);
}

inline Time NodeKey::rests_until(const PairState* pair) const noexcept {
  for (const auto& [known, rest] : until_) {
    if (known == pair) return std::max(rest, all_until_);
  }
  return all_until_;
}

inline bool NodeKey::rests_somewhere(Time now) const noexcept {
  return all_until_ > now || std::any_of(until_.begin(), until_.end(),
                                         [&](const auto& rest) { return rest.second > now; });
}

}  // namespace llmroute
