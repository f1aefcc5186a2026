/// The private half of EventLoop: libcurl's multi handle, timers and coroutines turned by one
/// thread at a time.
///
/// Inside a libcurl callback nothing is resumed, created or destroyed, as libcurl would refuse to
/// add or remove transfers there. Callbacks, timers and finished tasks put a Waiter on the ready
/// queue; the loop resumes it when libcurl has returned.
#pragma once

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <llmroute/core/time.hpp>
#include <llmroute/net/reactor.hpp>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "net/link.hpp"
#include "net/timer.hpp"

namespace llmroute::net {

class CurlMulti;
class EpollReactor;

/// A suspended coroutine that can be put on the ready queue.
struct Waiter : Link {
  std::coroutine_handle<> handle{};
};

/// Something that ends itself while its own frames may be on the stack: reaped when none is.
struct Doomed : Link {
  Doomed() = default;
  Doomed(const Doomed&) = delete;
  Doomed& operator=(const Doomed&) = delete;
  virtual ~Doomed() = default;

  /// No frame is on the stack; may destroy itself.
  virtual void reap() noexcept = 0;
};

/// Work for a loop's thread that takes no memory to hand over: at the end of a call there may be
/// none.
class Errand {
 public:
  Errand() = default;
  Errand(const Errand&) = delete;
  Errand& operator=(const Errand&) = delete;
  virtual ~Errand() = default;

  virtual void run() = 0;

 private:
  friend class Loop;
  Errand* next_ = nullptr;  // these three under the loop's posted_mutex_
  bool posted_ = false;
  std::shared_ptr<void> keep_{};
};

class Loop {
 public:
  /// On an epoll set of its own. Throws std::system_error when the process is out of descriptors.
  Loop();

  /// On the host's reactor.
  explicit Loop(Reactor& host);

  /// In a forked child only closes the descriptors it inherited.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // As in EventLoop.
  int fd();
  void run_ready();
  void run_for(Duration wait);
  void post(std::function<void()> work);

  /// The same for an errand, which runs after what was posted before it; one that is on its way
  /// already is on its way. `keep` is held until then: it owns the errand. Any thread.
  void post(Errand& errand, std::shared_ptr<void> keep) noexcept;
  void on_ready(int fd, bool readable, bool writable, bool failed);
  void on_timer();

  /// During a turn the moment it began, so that one event sees one time; between turns the clock is
  /// read.
  Time now() noexcept { return running_ ? now_ : now_ = Clock::now(); }

  /// Resumes the waiter's coroutine soon, in order. Putting one twice is one.
  void wake(Waiter& waiter);

  /// Reaps soon, when no frame is on the stack.
  void doom(Doomed& doomed);

  /// Runs `f` as part of a turn: what starts or touches calls from outside goes through here.
  template <class F>
  void inside(F&& f) {
    if (running_) return static_cast<void>(std::forward<F>(f)());
    const Turn turn(*this);
    std::forward<F>(f)();
  }

  /// A turn is under way, so a frame may be on the stack.
  bool running() const noexcept { return running_; }

  /// This very thread is in a turn of the loop. Any thread.
  bool on_loop_thread() const noexcept;

  /// A borrowed loop is turned by run_for() alone, so that nothing needs signalling between turns.
  /// It is the default until fd() is asked for.
  void borrow(bool borrowed) noexcept { borrowed_ = borrowed; }

  /// Of another process: only the destructor may be called.
  bool forked() const noexcept;

  /// In a forked child, of a loop whose thread may have been in the midst of its turn: nothing but
  /// the connections' descriptors is touched.
  void close_connections() noexcept;

  /// What `owner` keeps with this loop, or null.
  void* attachment(std::uint64_t owner) const noexcept;

  /// Destroyed with the loop, or when others attach something after the end of `alive`.
  void attach(std::uint64_t owner, std::weak_ptr<const void> alive, std::shared_ptr<void> kept);

  /// Transfers and connections, for HttpTransfer.
  CurlMulti& curl() noexcept { return *curl_; }

 private:
  friend class Timer;

  /// One turn: sets the clock, and leaves the loop ready to be waited for.
  class Turn {
   public:
    explicit Turn(Loop& loop);
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    Loop& loop_;
    Loop* outer_;
  };

  static constexpr int events_a_turn = 256;  // then others on the host's loop have their turn

  void wait(Duration most);
  void settle();
  void run_posted();
  void post_again(std::size_t first);
  void run_errands();
  Errand* take_errand(std::shared_ptr<void>& keep) noexcept;
  void resume_ready();
  void reap();
  bool has_work() const noexcept;
  Time wake_at() const noexcept;
  void signal();

  Time now_;
  bool running_ = false;
  bool borrowed_ = false;
  bool pollable_ = false;  // someone waits on fd(), or on the host's reactor
  int budget_ = 0;
  int turns_without_wait_ = 0;
  Time signalled_ = never;  // what the reactor is armed for
  std::uint64_t generation_;
  Link ready_;
  Link doomed_;
  TimerHeap timers_;
  std::unique_ptr<EpollReactor> own_;
  Reactor* reactor_;
  std::atomic<bool> has_posted_{false};
  std::mutex posted_mutex_;
  std::vector<std::function<void()>> posted_;
  std::vector<std::function<void()>> running_posted_;
  Errand* first_errand_ = nullptr;
  Errand* last_errand_ = nullptr;
  std::unique_ptr<CurlMulti> curl_;
  struct Attachment {
    std::uint64_t owner;
    std::weak_ptr<const void> alive;
    std::shared_ptr<void> kept;
  };
  std::vector<Attachment> attachments_;
};

/// `SleepUntil sleep(loop, at); co_await sleep;`
class SleepUntil {
 public:
  SleepUntil(Loop& loop, Time at) noexcept : loop_(loop), at_(at) {}
  SleepUntil(const SleepUntil&) = delete;
  SleepUntil& operator=(const SleepUntil&) = delete;

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle);
  void await_resume() const noexcept {}

 private:
  Loop& loop_;
  Time at_;
  Waiter waiter_{};
  Timer timer_{};
};

}  // namespace llmroute::net
