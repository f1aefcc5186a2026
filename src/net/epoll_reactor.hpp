/// The reactor of a loop that has none from its host: an epoll set that is itself one pollable
/// descriptor.
#pragma once

#include <sys/epoll.h>

#include <llmroute/net/reactor.hpp>
#include <span>
#include <vector>

namespace llmroute::net {

/// A descriptor that is closed when its owner goes.
class UniqueFd {
 public:
  explicit UniqueFd(int fd = -1) noexcept : fd_(fd) {}
  ~UniqueFd();
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;

  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

class EpollReactor final : public Reactor {
 public:
  /// Throws std::system_error when the process is out of descriptors.
  EpollReactor();

  void watch(int fd, Interest interest) override;

  /// For who waits on fd(); a thread that waits in wait() gives it a time instead.
  void arm(Time at) override;
  void wake() override;

  int fd() const noexcept { return epoll_.get(); }

  /// What became ready; wake-ups and the armed moment show as nothing. Blocks up to `most`, rounded
  /// up to milliseconds.
  std::span<const epoll_event> wait(Duration most);

 private:
  static constexpr int most_ready = 64;

  int change(int what, int fd, unsigned events) noexcept;
  bool grow(std::size_t size) noexcept;
  void change_unknown(int fd, unsigned events) noexcept;

  UniqueFd epoll_;
  UniqueFd event_;
  UniqueFd timer_;
  std::vector<unsigned char> watched_;  // by descriptor: in the set
  epoll_event ready_[most_ready];
};

}  // namespace llmroute::net
