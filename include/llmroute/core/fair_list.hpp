/// Who is next among those that wait: the highest priority first, within it the tenants in turn,
/// within a tenant the first come. And who is last, and could be sent away. An intrusive list: the
/// waiting objects bring their own links.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <new>
#include <string>
#include <string_view>

namespace llmroute {

/// The links of one waiting object, in at most one list at a time.
struct FairEntry {
  std::string_view tenant{};  ///< outlives the entry
  int priority = 0;           ///< higher first
  FairEntry* previous = nullptr;
  FairEntry* next = nullptr;
};

/// A doubly linked chain of entries.
class FairChain {
 public:
  bool empty() const noexcept { return first_ == nullptr; }
  std::size_t size() const noexcept { return size_; }
  FairEntry* first() const noexcept { return first_; }
  FairEntry* last() const noexcept { return last_; }

  void push_back(FairEntry& entry) noexcept {
    entry.previous = last_;
    entry.next = nullptr;
    (last_ != nullptr ? last_->next : first_) = &entry;
    last_ = &entry;
    ++size_;
  }

  void push_front(FairEntry& entry) noexcept {
    entry.previous = nullptr;
    entry.next = first_;
    (first_ != nullptr ? first_->previous : last_) = &entry;
    first_ = &entry;
    ++size_;
  }

  void erase(FairEntry& entry) noexcept {
    (entry.previous != nullptr ? entry.previous->next : first_) = entry.next;
    (entry.next != nullptr ? entry.next->previous : last_) = entry.previous;
    entry.previous = entry.next = nullptr;
    --size_;
  }

 private:
  FairEntry* first_ = nullptr;
  FairEntry* last_ = nullptr;
  std::size_t size_ = 0;
};

/// Not thread safe. Memory for the lanes of tenants that have someone waiting, and of no others.
class FairList {
 public:
  std::size_t size() const noexcept { return size_; }

  void push_back(FairEntry& entry) { lane_of(entry).push_back(entry), ++size_; }
  void push_front(FairEntry& entry) { lane_of(entry).push_front(entry), ++size_; }

  void erase(FairEntry& entry) noexcept {
    const auto rank = ranks_.find(entry.priority);
    const auto lane = rank->second.lanes.find(entry.tenant);
    lane->second.erase(entry);
    --size_;
    if (lane->second.empty()) rank->second.lanes.erase(lane);
    if (rank->second.lanes.empty()) ranks_.erase(rank);
  }

  /// Takes out the next one for whom `fits(entry)` holds; null when there is none.
  template <class Fits>
  FairEntry* take_first(Fits&& fits) {
    for (auto& [priority, rank] : ranks_) {
      if (FairEntry* entry = first_of(rank, fits)) {
        note_served(rank, entry->tenant);
        erase(*entry);
        return entry;
      }
    }
    return nullptr;
  }

  FairEntry* take_next() {
    return take_first([](const FairEntry&) { return true; });
  }

  /// The one served last of all if nobody else came: of the lowest priority, of the tenant with the
  /// most there, the one that came last. Null when the list is empty.
  FairEntry* last() const {
    if (ranks_.empty()) return nullptr;
    const Rank& rank = ranks_.rbegin()->second;
    std::size_t most = 0;
    FairEntry* last = nullptr;
    auto lane = rank.lanes.upper_bound(rank.served_last);
    for (std::size_t i = 0; i < rank.lanes.size(); ++i, ++lane) {
      if (lane == rank.lanes.end()) lane = rank.lanes.begin();
      if (lane->second.size() < most) continue;
      most = lane->second.size();
      last = lane->second.last();
    }
    return last;
  }

  /// How many of its tenant's stand in the line of its priority.
  std::size_t beside(const FairEntry& entry) const {
    const auto rank = ranks_.find(entry.priority);
    if (rank == ranks_.end()) return 0;
    const auto lane = rank->second.lanes.find(entry.tenant);
    return lane == rank->second.lanes.end() ? 0 : lane->second.size();
  }

  /// How many are served before `newcomer`, which is not in the list, if nobody else came; of other
  /// tenants at most one too many each.
  std::size_t before(const FairEntry& newcomer) const {
    const std::size_t own = beside(newcomer);
    std::size_t count = 0;
    for (const auto& [priority, rank] : ranks_) {
      if (priority < newcomer.priority) break;
      for (const auto& [tenant, lane] : rank.lanes) {
        const std::size_t turns = tenant == newcomer.tenant ? own : own + 1;
        count += priority > newcomer.priority ? lane.size() : std::min(lane.size(), turns);
      }
    }
    return count;
  }

  /// Forgets everyone without touching them.
  void clear() noexcept { ranks_.clear(), size_ = 0; }

 private:
  struct Rank {
    std::map<std::string, FairChain, std::less<>> lanes;
    std::string served_last;  // the turn goes on with the tenant after it in the alphabet
  };

  /// A turn is taken where a permit is given back, in destructors: without memory for a long name
  /// the turns go on from the tenant before.
  static void note_served(Rank& rank, std::string_view tenant) noexcept {
    try {
      rank.served_last = tenant;
    } catch (const std::bad_alloc&) {
    }
  }

  FairChain& lane_of(const FairEntry& entry) {
    auto& lanes = ranks_[entry.priority].lanes;
    const auto found = lanes.find(entry.tenant);
    return found != lanes.end() ? found->second : lanes[std::string(entry.tenant)];
  }

  template <class Fits>
  static FairEntry* first_of(Rank& rank, Fits& fits) {
    auto lane = rank.lanes.upper_bound(rank.served_last);
    for (std::size_t i = 0; i < rank.lanes.size(); ++i, ++lane) {
      if (lane == rank.lanes.end()) lane = rank.lanes.begin();
      for (FairEntry* entry = lane->second.first(); entry != nullptr; entry = entry->next) {
        if (fits(*entry)) return entry;
      }
    }
    return nullptr;
  }

  std::map<int, Rank, std::greater<>> ranks_;
  std::size_t size_ = 0;
};

}  // namespace llmroute
