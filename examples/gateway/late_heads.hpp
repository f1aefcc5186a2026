/// Streams whose node has nothing to say for a long time get their head early, so that no proxy or
/// client on the way gives up: clients wait for headers less patiently than for events.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <llmroute/core/time.hpp>

namespace gateway {

/// When a head goes out though nothing is there to go out with it.
inline constexpr std::chrono::seconds late_head_after{15};

class LateHeads;

/// A stream that waits for its first byte; leaves the list when destroyed.
class LateHead {
 public:
  LateHead() = default;
  LateHead(const LateHead&) = delete;
  LateHead& operator=(const LateHead&) = delete;

  /// The wait is over: nothing is to be sent early any more.
  void leave() noexcept;

 protected:
  virtual ~LateHead() { leave(); }
  virtual void send_head() = 0;

 private:
  friend class LateHeads;
  LateHeads* list_ = nullptr;
  LateHead* before_ = nullptr;
  LateHead* next_ = nullptr;
  llmroute::Time due_{};
};

/// All that wait on one worker. They wait equally long, so the list in order of arrival is in order
/// of due times, and one timer serves them all. Not thread safe.
class LateHeads {
 public:
  explicit LateHeads(boost::asio::io_context& context, llmroute::Duration wait = late_head_after);

  void join(LateHead& head, llmroute::Time now);

 private:
  friend class LateHead;
  void arm();
  void on_timer();

  llmroute::Duration wait_;
  boost::asio::steady_timer timer_;
  bool armed_ = false;
  LateHead* first_ = nullptr;
  LateHead* last_ = nullptr;
};

}  // namespace gateway
