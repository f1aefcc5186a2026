/// The coroutine of which a call is made: lazy, owned by exactly one place, and cancelled by being
/// destroyed.
///
/// Destroying a Task destroys its frame and with it the frames it awaits, innermost first. Code
/// after a `co_await` may therefore never run: what must happen is a destructor. A frame is never
/// destroyed from inside itself; a call that wants to end itself goes on the loop's doomed list
/// (loop.hpp).
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

#include "net/frame_pool.hpp"

namespace llmroute::net {

/// What all promises share: frames from the pool, and whom to tell at the end.
struct PromiseBase {
  static void* operator new(std::size_t size) { return take_frame(size); }
  static void operator delete(void* frame, std::size_t size) noexcept { give_frame(frame, size); }

  /// Hands over to the awaiting task directly, or tells a started task's owner, who must not resume
  /// anything inline.
  struct Final {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
      PromiseBase& promise = ended.promise();
      if (promise.on_done != nullptr) promise.on_done(promise.on_done_context);
      return promise.continuation;
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  Final final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { thrown = std::current_exception(); }

  std::coroutine_handle<> continuation = std::noop_coroutine();
  void (*on_done)(void*) = nullptr;
  void* on_done_context = nullptr;
  std::exception_ptr thrown;  // out of memory, mostly; goes on in whoever asks for the result
};

/// Move only. On one thread at a time; which one may change while it is suspended.
template <class T>
class [[nodiscard]] Task {
 public:
  struct promise_type : PromiseBase {
    Task get_return_object() noexcept {
      return Task{std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    template <class U>
    void return_value(U&& result) {
      value.emplace(std::forward<U>(result));
    }
    T& get() {
      if (thrown) std::rethrow_exception(thrown);
      return *value;
    }
    std::optional<T> value;
  };

  Task() = default;
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      reset();
      handle_ = std::exchange(other.handle_, {});
    }
    return *this;
  }
  ~Task() { reset(); }

  /// Destroys the frame: cancels what has not ended.
  void reset() noexcept {
    if (handle_) std::exchange(handle_, {}).destroy();
  }

  explicit operator bool() const noexcept { return static_cast<bool>(handle_); }
  bool done() const noexcept { return handle_ && handle_.done(); }

  /// Runs a root task to its first wait; call it inside the loop (Loop::inside).
  /// `on_done(context)`, where given, is told at the task's end, from within its last step: it may
  /// note, wake or doom, but not resume or destroy.
  void start(void (*on_done)(void*), void* context) {
    handle_.promise().on_done = on_done;
    handle_.promise().on_done_context = context;
    handle_.resume();
  }

  /// Once done: the result, or the exception that ended it.
  T& result() { return handle_.promise().get(); }

  /// Not an aggregate and not copyable: g++ 12.2 copies aggregate awaiters.
  class Awaiter {
   public:
    explicit Awaiter(std::coroutine_handle<promise_type> awaited) noexcept : awaited_(awaited) {}
    Awaiter(const Awaiter&) = delete;
    Awaiter& operator=(const Awaiter&) = delete;

    bool await_ready() const noexcept { return awaited_.done(); }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) const noexcept {
      awaited_.promise().continuation = awaiting;
      return awaited_;
    }
    T await_resume() const { return std::move(awaited_.promise().get()); }

   private:
    std::coroutine_handle<promise_type> awaited_;
  };

  /// The task stays the owner of its frame: as a temporary it lives to the end of the whole
  /// co_await expression.
  Awaiter operator co_await() & noexcept { return Awaiter{handle_}; }
  Awaiter operator co_await() && noexcept { return Awaiter{handle_}; }

 private:
  explicit Task(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}

  std::coroutine_handle<promise_type> handle_;
};

}  // namespace llmroute::net
