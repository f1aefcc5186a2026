/// The two things a call holds of the admission queue: a permit to run, or a place in the line.
#pragma once

#include <atomic>
#include <cstdint>
#include <llmroute/core/fair_list.hpp>
#include <llmroute/core/time.hpp>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace llmroute {

class AdmissionQueue;
class WokenWaiters;
enum class NodeId : std::uint32_t;

/// The right to run, given back by its destructor. Empty when moved from or never given.
class Permit {
 public:
  Permit() = default;
  Permit(Permit&& other) noexcept
      : queue_(std::exchange(other.queue_, nullptr)), generation_(other.generation_) {}
  Permit& operator=(Permit&& other) noexcept {
    Permit old(std::move(*this));
    queue_ = std::exchange(other.queue_, nullptr);
    generation_ = other.generation_;
    return *this;
  }
  ~Permit() { give_back(std::nullopt); }

  explicit operator bool() const noexcept { return queue_ != nullptr; }

  /// Gives it back now. Better than the destructor where the time is known: grants then start their
  /// 50 ms at once.
  void release(Time now) { give_back(now); }

 private:
  friend class AdmissionQueue;
  Permit(AdmissionQueue* queue, std::uint32_t generation) noexcept
      : queue_(queue), generation_(generation) {}
  void give_back(std::optional<Time> now);

  AdmissionQueue* queue_ = nullptr;
  std::uint32_t generation_ = 0;
};

/// One that waits: for a permit (enqueue) or for a slot on a busy node (park). It leaves in its
/// destructor, wherever it stands; a turn it had been given and not claimed passes on. One thread
/// at a time.
///
/// `granted(context)` runs on the thread that freed the permit, outside every lock, perhaps before
/// enqueue() has returned, and perhaps once more for a turn that has passed on meanwhile; also when
/// the waiter is shed. It must only wake the waiting side (post to its loop) and must not throw.
/// The destructor waits until it is out of it, so declare what `context` points to before the
/// waiter, and let what it posts find out by itself whether the waiting side still lives.
class AdmissionWaiter : private FairEntry {
 public:
  using Granted = void (*)(void* context);

  /// The views outlive the waiter. `model` and `tried` are for park(): who could use a freed node.
  AdmissionWaiter(Granted granted, void* context, std::string_view tenant_name = {},
                  int queue_priority = 0, std::string_view model = {},
                  std::span<const NodeId> tried = {}) noexcept
      : FairEntry{tenant_name, queue_priority},
        granted_(granted),
        context_(context),
        model_(model),
        tried_(tried) {}
  AdmissionWaiter(const AdmissionWaiter&) = delete;
  AdmissionWaiter& operator=(const AdmissionWaiter&) = delete;
  ~AdmissionWaiter() { leave(); }

  /// The permit, once granted; empty while waiting or when the turn has passed on because 50 ms
  /// went by (it then stands first in its line again).
  Permit claim(Time now);

  /// The same for a parked waiter: true, and no longer parked, when it is worth picking a node
  /// again.
  bool claim_node(Time now);

  /// Another took its place in a full queue: its turn will not come. Until leave(), enqueue() or
  /// park().
  bool shed() const;

  /// Stops waiting. The waiter can be used again.
  void leave();

  std::string_view model() const noexcept { return model_; }

  /// Nodes that would be of no use to it.
  std::span<const NodeId> tried() const noexcept { return tried_; }

 private:
  friend class AdmissionQueue;
  friend class WokenWaiters;
  enum class State : std::uint8_t { idle, waiting, granted, parked, node_granted, shed };

  Granted granted_;
  void* context_;
  std::string_view model_;
  std::span<const NodeId> tried_;
  AdmissionQueue* queue_ = nullptr;
  std::uint32_t generation_ = 0;
  State state_ = State::idle;           // under the queue's lock
  Time granted_at_ = never;             // never: the time was not known yet
  std::atomic<int> being_notified_{0};  // threads inside granted_
};

}  // namespace llmroute
