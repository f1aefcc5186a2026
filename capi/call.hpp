/// Between a call and the C functions that hear of it.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <llmroute/router.hpp>
#include <memory>
#include <mutex>
#include <utility>

#include "llmroute.h"
#include "loop.hpp"

namespace llmroute::capi {

/// Lives as long as either end: the call, which calls it back, or the handle, which may be freed at
/// any time.
class Listener : public std::enable_shared_from_this<Listener> {
 public:
  /// `loop`: the application's, or null for a background call.
  Listener(const llmroute_callbacks& functions, std::shared_ptr<OwnLoop> loop) noexcept;

  /// What the call is given.
  Callbacks callbacks();

  /// Takes the call that `begin()` starts. On a background thread callbacks, even the last, may run
  /// before this returns: what is said of the call meanwhile waits until the call is here.
  template <class Begin>
  void attach(Begin&& begin);

  /// Any thread. Afterwards no event is handed on any more.
  void cancel() noexcept;
  void drained() noexcept;

  /// The handle was freed.
  void detach() noexcept;

  bool waitable() const noexcept { return !loop_ || done(); }
  bool forked() const noexcept;  ///< the thread that would call back is the parent process's
  bool done() const noexcept { return done_.load(std::memory_order_acquire); }
  void wait() const noexcept { done_.wait(false, std::memory_order_acquire); }

 private:
  void on_head(const StreamHead& head);
  Taken on_event(const Event& event);
  void on_done(Result<Reply> result);
  void stop() noexcept;

  const llmroute_callbacks functions_;
  const std::shared_ptr<OwnLoop> loop_;
  const pid_t process_;
  bool cut_short_ = false;  // the callbacks have not had it all; on the loop's thread
  std::atomic<bool> cancelled_{false};
  std::atomic<bool> done_{false};
  std::mutex mutex_;  // guards call_
  Call call_{};
};

template <class Begin>
void Listener::attach(Begin&& begin) {
  std::unique_lock lock(mutex_, std::defer_lock);
  if (!loop_) lock.lock();  // on a loop callbacks may come from inside begin(), and want it
  Call call = std::forward<Begin>(begin)();
  if (loop_) lock.lock();
  if (!cancelled_) call_ = std::move(call);  // else it ends here, and with it is cancelled
}

}  // namespace llmroute::capi
