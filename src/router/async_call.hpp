/// A call with callbacks: what start() and run_on() make. Keeps itself alive until on_done has
/// returned, whatever the caller does with its Call.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "router/call_root.hpp"
#include "router/request_copy.hpp"
#include "router/sink.hpp"

namespace llmroute::detail {

class CallHandle : public std::enable_shared_from_this<CallHandle> {
 public:
  CallHandle(std::shared_ptr<RouterCore> core, EventLoop& loop, const Request& request,
             Callbacks callbacks);

  /// Begins the call. On the loop's thread.
  void start(LoopState& state);

  /// The same where nobody would see what is thrown: a call that cannot begin is over.
  void start_or_fail(LoopState& state) noexcept;

  /// Any thread. The work is done on the loop's.
  void cancel();
  void drained();

  /// Blocks until on_done has returned. In a forked child, where it never will, not at all.
  void wait() const noexcept;
  bool done() const noexcept { return done_.load(std::memory_order_acquire); }

 private:
  /// Hands events to the caller's functions.
  class CallbackSink final : public Sink {
   public:
    CallbackSink(net::Loop& loop, Callbacks& callbacks) noexcept
        : Sink(loop), callbacks_(callbacks) {}
    void head(const StreamHead& head) override;
    bool offer(const Event& event) override;

    /// The event offered last is done with, or will be when on_event has returned. Any thread.
    void note_drained() noexcept;

    /// Wakes the producer, if it sleeps for the event that was noted. On the loop's thread.
    void follow_note() noexcept;

   private:
    Callbacks& callbacks_;
    std::atomic<std::uint64_t> offered_{0};  // how many events
    std::atomic<std::uint64_t> drained_{0};  // which of them, from 1, was noted last
  };

  class Root final : public CallRoot {
   public:
    Root(CallHandle& handle, std::shared_ptr<RouterCore> core, LoopState& local, net::Loop& loop,
         const Request& request, Sink* sink)
        : CallRoot(std::move(core), local, loop, request, sink), handle_(handle) {}

   private:
    void on_end() override { handle_.on_end(); }
    CallHandle& handle_;
  };

  class Cancelling final : public net::Errand {
   public:
    explicit Cancelling(CallHandle& handle) noexcept : handle_(handle) {}
    void run() override;

   private:
    CallHandle& handle_;
  };

  class Draining final : public net::Errand {
   public:
    explicit Draining(CallHandle& handle) noexcept : handle_(handle) {}
    void run() override;

   private:
    CallHandle& handle_;
  };

  void on_end();
  void arm_later(Time at);
  void deliver();
  void give(Result<Reply> result);

  std::shared_ptr<RouterCore> core_;
  EventLoop& loop_;
  RequestCopy request_;
  Callbacks callbacks_;
  CallbackSink sink_;
  std::optional<Root> root_;
  net::Timer later_;  // on_done never comes from inside start
  Cancelling cancelling_{*this};
  Draining draining_{*this};
  bool starting_ = false;
  std::atomic<bool> done_{false};
  std::shared_ptr<CallHandle> self_;  // while the call runs
};

}  // namespace llmroute::detail
