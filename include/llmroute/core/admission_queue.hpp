/// How many calls run at once, and who waits when that many do: permits with a bounded, fair queue
/// behind them.
///
///     Permit permit = queue.try_enter();                    // one atomic operation
///     if (!permit && !queue.enqueue(waiter, now)) refuse;   // queue_full; queue.retry_after(now)
///     says when to come back
///     ... woken by waiter's callback ...
///     permit = waiter.claim(now);                           // empty: the turn has passed on, keep
///     waiting, unless waiter.shed(): then as when refused
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <llmroute/core/admission_waiter.hpp>
#include <llmroute/core/drain_rate.hpp>
#include <llmroute/core/fair_list.hpp>
#include <llmroute/core/spin_lock.hpp>
#include <llmroute/core/time.hpp>
#include <llmroute/core/woken_waiters.hpp>
#include <mutex>
#include <new>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

namespace llmroute {

enum class FairBy : std::uint8_t { tenant, none };

/// The keys of [backpressure].
struct AdmissionOptions {
  int max_concurrent_requests = 0;  ///< 0: no limit, calls are only counted
  std::optional<int>
      max_queue_size{};  ///< empty (auto): twice the limit, or 1,024 without one; 0: refuse at once
  Duration queue_timeout = std::chrono::seconds(30);  ///< kept by whoever waits
  FairBy fair_by = FairBy::tenant;

  friend bool operator==(const AdmissionOptions&, const AdmissionOptions&) = default;
};

/// Thread safe. The fast path is one atomic operation on a word that holds both the permits out and
/// the number waiting, so nobody overtakes the queue and no wake-up is lost between the two.
///
/// A full queue sheds whoever would be served last, be it the newcomer or one who waits: the lowest
/// priority first, and within it the tenant with the most waiting (as fair queueing drops from the
/// longest queue: McKenney, 1990). So one tenant's flood takes no place from the others.
///
/// A grant that is not claimed for 50 ms goes to the next in line, so that one stuck loop does not
/// hold up the others. That is looked at whenever the queue is told a time: in enqueue, claim and
/// release(now).
class AdmissionQueue {
 public:
  static constexpr Duration claim_time = std::chrono::milliseconds(50);

  explicit AdmissionQueue(const AdmissionOptions& options = {}) noexcept;
  AdmissionQueue(const AdmissionQueue&) = delete;
  AdmissionQueue& operator=(const AdmissionQueue&) = delete;

  /// A permit, or an empty one when all are out or others wait.
  Permit try_enter() noexcept;

  /// Lines up for a permit, perhaps in another's place. False: the queue is full of waiters that
  /// come before this one, or its size is 0. When a permit is free after all it is granted at once.
  bool enqueue(AdmissionWaiter& waiter, Time now);

  /// How long `newcomer`, which does not wait yet, would wait for a permit: those before it over
  /// the rate at which turns were taken during the last minute, while anybody waited. Empty: too
  /// few were to say.
  std::optional<Duration> expected_wait(const AdmissionWaiter& newcomer, Time now) const;

  /// Counts node_freed(). Read it before the pick whose outcome makes a call park.
  std::uint64_t nodes_freed() const noexcept { return nodes_freed_.load(); }

  /// Waits for a slot on a node, keeping the permit it has. `seen` is nodes_freed() from before the
  /// pick: if a slot has come free since, the waiter is granted at once. False: as with enqueue.
  bool park(AdmissionWaiter& waiter, std::uint64_t seen, Time now);

  /// A node that was full has room for a call again: wakes the first parked waiter for whom
  /// `can_use(waiter)` holds; asked under a lock.
  template <class CanUse>
  void node_freed(CanUse&& can_use, std::optional<Time> now = std::nullopt);

  /// Nodes have come or are others than before: everyone parked is woken to pick again.
  void nodes_changed();

  /// When a refused caller should come back: all that wait over the rate of the last minute,
  /// between 1 s and queue_timeout; queue_timeout while no rate is known.
  Duration retry_after(Time now) const;

  /// Those waiting, for a permit or a node.
  std::size_t depth() const noexcept {
    return waiting_in(word_.load(std::memory_order_relaxed)) +
           parked_count_.load(std::memory_order_relaxed);
  }
  /// Permits out.
  std::size_t in_use() const noexcept { return used_in(word_.load(std::memory_order_relaxed)); }

  std::size_t max_queue_size() const noexcept { return max_queue_size_; }

  /// In a forked child, before anything else: permits and waiters of the parent's calls no longer
  /// count and may be destroyed at leisure.
  void reset_after_fork() noexcept;

 private:
  friend class Permit;
  friend class AdmissionWaiter;
  using State = AdmissionWaiter::State;

  static constexpr std::uint64_t one_waiting = std::uint64_t{1} << 32;
  static std::size_t waiting_in(std::uint64_t word) noexcept { return word >> 32; }
  static std::size_t used_in(std::uint64_t word) noexcept { return word & 0xffffffff; }
  static AdmissionWaiter& waiter_of(FairEntry& entry) noexcept {
    return static_cast<AdmissionWaiter&>(entry);
  }

  Permit permit() noexcept { return {this, generation_.load(std::memory_order_relaxed)}; }
  bool take_or_count(std::uint64_t waiting) noexcept;
  void line_up(AdmissionWaiter& waiter);
  FairEntry* trade_places(AdmissionWaiter& stale) noexcept;
  void give_back(std::uint32_t generation, std::optional<Time> now);
  void hand_over(std::optional<Time> now);
  void leave(AdmissionWaiter& waiter);
  bool admit(AdmissionWaiter& waiter, Time now, WokenWaiters& woken);
  bool make_room(const AdmissionWaiter& newcomer, WokenWaiters& woken);
  FairEntry* last_of_all() const;
  std::size_t share(const FairEntry& entry) const;
  void take_out(AdmissionWaiter& waiter) noexcept;
  void grant(AdmissionWaiter& waiter, State state, std::optional<Time> now, WokenWaiters& woken);
  void pass_on_stale(Time now, WokenWaiters& woken);
  void wake_all_parked(std::optional<Time> now, WokenWaiters& woken);
  bool quiet() const noexcept;

  std::size_t limit_;
  std::size_t max_queue_size_;
  Duration queue_timeout_;
  FairBy fair_by_;
  std::atomic<std::uint64_t> word_{
      0};  // high half: waiting (changed under the lock only), low half: permits out
  std::atomic<std::uint32_t> generation_{0};
  std::atomic<std::uint64_t> nodes_freed_{0};
  std::atomic<std::size_t> parked_count_{0};
  mutable SpinLock lock_;  // guards everything below
  FairList waiting_;
  FairList parked_;
  FairChain granted_;  // not yet claimed, the oldest first
  DrainRate rate_;
};

inline AdmissionQueue::AdmissionQueue(const AdmissionOptions& options) noexcept
    : limit_(static_cast<std::size_t>(std::max(options.max_concurrent_requests, 0))),
      max_queue_size_(limit_ > 0 ? 2 * limit_ : 1024),
      queue_timeout_(options.queue_timeout),
      fair_by_(options.fair_by) {
  if (options.max_queue_size) {
    max_queue_size_ = static_cast<std::size_t>(std::max(*options.max_queue_size, 0));
  }
}

inline Permit AdmissionQueue::try_enter() noexcept {
  if (limit_ == 0) return word_.fetch_add(1, std::memory_order_relaxed), permit();
  std::uint64_t word = word_.load(std::memory_order_relaxed);
  while (waiting_in(word) == 0 && used_in(word) < limit_) {
    if (word_.compare_exchange_weak(word, word + 1, std::memory_order_acquire)) return permit();
  }
  return {};
}

/// Under the lock. True: a permit was free and is taken. False: counted as waiting.
inline bool AdmissionQueue::take_or_count(std::uint64_t waiting) noexcept {
  std::uint64_t word = word_.load(std::memory_order_relaxed);
  while (true) {
    const bool free = waiting == 0 && (limit_ == 0 || used_in(word) < limit_);
    if (word_.compare_exchange_weak(word, word + (free ? 1 : one_waiting),
                                    std::memory_order_acq_rel)) {
      return free;
    }
  }
}

/// Under the lock. Makes the waiter one of this queue's, to be put into a line, if it has a place.
inline bool AdmissionQueue::admit(AdmissionWaiter& waiter, Time now, WokenWaiters& woken) {
  pass_on_stale(now, woken);
  if (fair_by_ == FairBy::none) waiter.tenant = {};
  if (!make_room(waiter, woken)) return false;
  if (quiet()) rate_.line_formed(now);
  waiter.queue_ = this;
  waiter.generation_ = generation_.load(std::memory_order_relaxed);
  return true;
}

/// Under the lock. When the queue is full, sheds the one that would be served last, if that is not
/// the newcomer.
inline bool AdmissionQueue::make_room(const AdmissionWaiter& newcomer, WokenWaiters& woken) {
  if (waiting_.size() + parked_.size() < max_queue_size_) return true;
  FairEntry* last = last_of_all();
  if (last == nullptr || last->priority > newcomer.priority) return false;
  if (last->priority == newcomer.priority && share(*last) <= share(newcomer) + 1) return false;
  AdmissionWaiter& loser = waiter_of(*last);
  take_out(loser);
  loser.state_ = State::shed;
  loser.being_notified_.fetch_add(1, std::memory_order_relaxed);
  woken.add(loser);
  return true;
}

/// Under the lock. The one that would be served last in either line; null when both are empty.
inline FairEntry* AdmissionQueue::last_of_all() const {
  FairEntry* waiting = waiting_.last();
  FairEntry* parked = parked_.last();
  if (waiting == nullptr || parked == nullptr) return waiting != nullptr ? waiting : parked;
  if (waiting->priority != parked->priority)
    return waiting->priority < parked->priority ? waiting : parked;
  return share(*waiting) < share(*parked) ? parked : waiting;
}

/// Under the lock. How many of its tenant and priority wait.
inline std::size_t AdmissionQueue::share(const FairEntry& entry) const {
  return waiting_.beside(entry) + parked_.beside(entry);
}

/// Under the lock. Out of the line for permits, or of that for nodes.
inline void AdmissionQueue::take_out(AdmissionWaiter& waiter) noexcept {
  if (waiter.state_ == State::waiting) {
    waiting_.erase(waiter);
    word_.fetch_sub(one_waiting, std::memory_order_acq_rel);
  } else {
    parked_.erase(waiter);
    parked_count_.store(parked_.size());
  }
}

/// Under the lock. One that has been counted; without memory for its place it is not.
inline void AdmissionQueue::line_up(AdmissionWaiter& waiter) {
  try {
    waiting_.push_back(waiter);
    waiter.state_ = State::waiting;
  } catch (const std::bad_alloc&) {
    word_.fetch_sub(one_waiting, std::memory_order_acq_rel);
    throw;
  }
}

inline bool AdmissionQueue::enqueue(AdmissionWaiter& waiter, Time now) {
  waiter.leave();
  WokenWaiters woken;
  {
    const std::lock_guard guard(lock_);
    if (admit(waiter, now, woken)) {
      if (take_or_count(waiting_.size())) {
        grant(waiter, State::granted, now, woken);
      } else {
        line_up(waiter);
      }
    }
  }
  woken.notify();
  return waiter.queue_ != nullptr;
}

inline void AdmissionQueue::give_back(std::uint32_t generation, std::optional<Time> now) {
  if (generation != generation_.load(std::memory_order_relaxed)) return;
  std::uint64_t word = word_.load(std::memory_order_relaxed);
  while (waiting_in(word) == 0) {
    if (word_.compare_exchange_weak(word, word - 1, std::memory_order_acq_rel)) return;
  }
  hand_over(now);
}

inline void AdmissionQueue::hand_over(std::optional<Time> now) {
  WokenWaiters woken;
  {
    const std::lock_guard guard(lock_);
    if (now) pass_on_stale(*now, woken);
    if (FairEntry* entry = waiting_.take_next()) {
      word_.fetch_sub(one_waiting, std::memory_order_acq_rel);
      grant(waiter_of(*entry), State::granted, now, woken);
    } else {
      word_.fetch_sub(1, std::memory_order_acq_rel);  // the last one waiting has just left
    }
  }
  woken.notify();
}

inline void AdmissionQueue::grant(AdmissionWaiter& waiter, State state, std::optional<Time> now,
                                  WokenWaiters& woken) {
  woken.add(waiter);
  waiter.state_ = state;
  waiter.granted_at_ = now.value_or(never);
  waiter.being_notified_.fetch_add(1, std::memory_order_relaxed);
  granted_.push_back(waiter);
}

/// Under the lock. Whoever has sat on a permit for too long stands first in line again, and the
/// next one gets it.
inline void AdmissionQueue::pass_on_stale(Time now, WokenWaiters& woken) {
  for (FairEntry *entry = granted_.first(), *next = nullptr; entry != nullptr; entry = next) {
    next = entry->next;
    AdmissionWaiter& stale = waiter_of(*entry);
    if (stale.granted_at_ == never) stale.granted_at_ = now;
    if (now - stale.granted_at_ < claim_time) continue;
    if (stale.state_ == State::node_granted) {
      stale.granted_at_ = now;
      wake_all_parked(now, woken);
    } else if (waiting_.size() > 0) {
      FairEntry* heir = woken.room() ? trade_places(stale) : nullptr;
      if (heir == nullptr) return;  // no memory: the next look comes
      grant(waiter_of(*heir), State::granted, now, woken);
    }
  }
}

/// Under the lock. The one who has sat on a turn goes to the head of its line; gives who is next
/// instead. Null: there is no memory for a line, and nothing has changed but its age.
inline FairEntry* AdmissionQueue::trade_places(AdmissionWaiter& stale) noexcept {
  granted_.erase(stale);
  try {
    waiting_.push_front(stale);
  } catch (const std::bad_alloc&) {
    granted_.push_back(stale);
    return nullptr;
  }
  stale.state_ = State::waiting;
  return waiting_.take_first([&](const FairEntry& entry) { return &entry != &stale; });
}

/// Under the lock. Nobody waits, and no turn is on its way.
inline bool AdmissionQueue::quiet() const noexcept {
  return waiting_.size() + parked_.size() == 0 && granted_.empty();
}

inline std::optional<Duration> AdmissionQueue::expected_wait(const AdmissionWaiter& newcomer,
                                                             Time now) const {
  const FairEntry place{fair_by_ == FairBy::none ? std::string_view{} : newcomer.tenant,
                        newcomer.priority};
  const std::lock_guard guard(lock_);
  return rate_.time_for(waiting_.before(place), !quiet(), now);
}

inline Duration AdmissionQueue::retry_after(Time now) const {
  constexpr Duration shortest = std::chrono::seconds(1);
  const Duration longest = std::max(queue_timeout_, shortest);
  const std::lock_guard guard(lock_);
  const std::optional<Duration> wait =
      rate_.time_for(waiting_.size() + parked_.size() + 1, !quiet(), now);
  return std::clamp(wait.value_or(longest), shortest, longest);
}

inline bool AdmissionQueue::park(AdmissionWaiter& waiter, std::uint64_t seen, Time now) {
  waiter.leave();
  WokenWaiters woken;
  {
    const std::lock_guard guard(lock_);
    if (admit(waiter, now, woken)) {
      parked_.push_back(waiter);
      waiter.state_ = State::parked;
      parked_count_.store(
          parked_
              .size());  // before the look at nodes_freed_: node_freed does it the other way round
      if (nodes_freed_.load() != seen) {
        parked_.erase(waiter);
        parked_count_.store(parked_.size());
        grant(waiter, State::node_granted, now, woken);
      }
    }
  }
  woken.notify();
  return waiter.queue_ != nullptr;
}

template <class CanUse>
void AdmissionQueue::node_freed(CanUse&& can_use, std::optional<Time> now) {
  nodes_freed_.fetch_add(1);
  if (parked_count_.load() == 0) return;
  WokenWaiters woken;
  {
    const std::lock_guard guard(lock_);
    if (now) pass_on_stale(*now, woken);
    FairEntry* entry = parked_.take_first(
        [&](FairEntry& candidate) { return can_use(std::as_const(waiter_of(candidate))); });
    parked_count_.store(parked_.size());
    if (entry != nullptr) grant(waiter_of(*entry), State::node_granted, now, woken);
  }
  woken.notify();
}

inline void AdmissionQueue::nodes_changed() {
  nodes_freed_.fetch_add(1);
  if (parked_count_.load() == 0) return;
  WokenWaiters woken;
  {
    const std::lock_guard guard(lock_);
    wake_all_parked(std::nullopt, woken);
  }
  woken.notify();
}

/// Under the lock. For turns that went to waste: which node was free is no longer known, so
/// everyone looks again.
inline void AdmissionQueue::wake_all_parked(std::optional<Time> now, WokenWaiters& woken) {
  while (FairEntry* entry = woken.room() ? parked_.take_next() : nullptr) {
    grant(waiter_of(*entry), State::node_granted, now, woken);
  }
  parked_count_.store(parked_.size());
}

inline void AdmissionQueue::leave(AdmissionWaiter& waiter) {
  bool had_permit = false;
  WokenWaiters woken;
  {
    const std::lock_guard guard(lock_);
    switch (waiter.state_) {
      case State::idle:
      case State::shed:
        break;
      case State::waiting:
      case State::parked:
        take_out(waiter);
        break;
      case State::granted:
        granted_.erase(waiter);
        had_permit = true;
        break;
      case State::node_granted:
        granted_.erase(waiter);
        wake_all_parked(std::nullopt, woken);
        break;
    }
    waiter.state_ = State::idle;
  }
  woken.notify();
  if (had_permit) give_back(waiter.generation_, std::nullopt);
}

inline void AdmissionQueue::reset_after_fork() noexcept {
  lock_.reset_after_fork();
  generation_.fetch_add(1);
  waiting_.clear();
  parked_.clear();
  granted_ = {};
  word_.store(0);
  parked_count_.store(0);
}

inline void Permit::give_back(std::optional<Time> now) {
  if (AdmissionQueue* queue = std::exchange(queue_, nullptr)) queue->give_back(generation_, now);
}

inline Permit AdmissionWaiter::claim(Time now) {
  if (queue_ == nullptr || generation_ != queue_->generation_.load()) return {};
  WokenWaiters woken;
  Permit permit;
  {
    const std::lock_guard guard(queue_->lock_);
    if (state_ == State::granted) {
      queue_->granted_.erase(*this);
      state_ = State::idle;
      queue_->rate_.turn(now);
      permit = queue_->permit();
    }
    queue_->pass_on_stale(now, woken);
  }
  woken.notify();
  return permit;
}

inline bool AdmissionWaiter::claim_node(Time now) {
  if (queue_ == nullptr || generation_ != queue_->generation_.load()) return false;
  const std::lock_guard guard(queue_->lock_);
  if (state_ != State::node_granted) return false;
  queue_->granted_.erase(*this);
  state_ = State::idle;
  queue_->rate_.turn(now);
  return true;
}

inline bool AdmissionWaiter::shed() const {
  if (queue_ == nullptr || generation_ != queue_->generation_.load()) return false;
  const std::lock_guard guard(queue_->lock_);
  return state_ == State::shed;
}

inline void AdmissionWaiter::leave() {
  AdmissionQueue* queue = std::exchange(queue_, nullptr);
  if (queue == nullptr || generation_ != queue->generation_.load()) return;
  queue->leave(*this);
  while (being_notified_.load(std::memory_order_acquire) != 0) std::this_thread::yield();
}

}  // namespace llmroute
