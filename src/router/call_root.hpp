/// The root of a call: the one task that is started and not awaited, the deadline of the whole, and
/// the end. Cancelling means destroying the task: its frames unwind innermost first and give back
/// what they hold.
#pragma once

#include <memory>
#include <optional>

#include "net/loop.hpp"
#include "net/task.hpp"
#include "router/call_state.hpp"

namespace llmroute::detail {

class CallRoot : private net::Doomed {
 public:
  CallRoot(std::shared_ptr<RouterCore> core, LoopState& local, net::Loop& loop,
           const Request& request, Sink* sink);
  ~CallRoot() override;
  CallRoot(const CallRoot&) = delete;
  CallRoot& operator=(const CallRoot&) = delete;

  /// Runs the call to its first wait. It may be over when this returns.
  void start();

  /// Ends the call early, for `why`. On the loop's thread; does nothing when the call is over.
  void end(Ending why);

  bool finished() const noexcept { return result_.has_value(); }

  /// The outcome; only once finished.
  Result<Reply> take_result() { return std::move(*result_); }

  CallState& state() noexcept { return state_; }

  /// Its place among the calls of its loop.
  struct Entry : net::Link {
    CallRoot* root = nullptr;
  };

 protected:
  /// The call is over and no frame of it is on the stack; may destroy the root.
  virtual void on_end() {}

 private:
  void begin() noexcept;
  void reap() noexcept override;
  Result<Reply> outcome_of_task();
  Error outcome_of_exception(std::string message);
  Error outcome_of_ending(Duration waited) const;
  void conclude(Result<Reply> result) noexcept;
  void tell_of_end();
  static void on_task_done(void* self);
  static void on_deadline(void* self);

  std::shared_ptr<RouterCore> core_;  // also keeps the chain of layers alive
  CallState state_;
  Entry entry_{};
  net::Timer deadline_;
  std::optional<Result<Reply>> result_;
  net::Task<Result<Reply>> task_;  // last: destroyed first, while all it refers to is alive
};

}  // namespace llmroute::detail
