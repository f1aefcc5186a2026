#include "multi_driver.hpp"

#include <cstdint>

namespace bench {
namespace {

/// A descriptor in the place of a pointer: odd, as no pointer to an object of ours is.
void* as_pointer(int fd) {
  return reinterpret_cast<void*>(static_cast<std::uintptr_t>(fd) * 2 + 1);
}

}  // namespace

MultiDriver::MultiDriver(CURLM* multi) : multi_(multi) {
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &on_socket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &on_timer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
}

int MultiDriver::on_socket(CURL*, curl_socket_t fd, int what, void* self, void* known) {
  auto& driver = *static_cast<MultiDriver*>(self);
  if (what == CURL_POLL_REMOVE) {
    driver.poller_.remove(fd);
    return 0;
  }
  const std::uint32_t events =
      ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0U) | ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0U);
  if (known != nullptr) {
    driver.poller_.change(fd, as_pointer(fd), events);
  } else {
    driver.poller_.add(fd, as_pointer(fd), events);
    curl_multi_assign(driver.multi_, fd, &driver);
  }
  return 0;
}

int MultiDriver::on_timer(CURLM*, long milliseconds, void* self) {
  auto& driver = *static_cast<MultiDriver*>(self);
  driver.armed_ = milliseconds >= 0;
  if (driver.armed_) driver.timer_ = Clock::now() + std::chrono::milliseconds(milliseconds);
  return 0;
}

bool MultiDriver::is_curls(const epoll_event& event) noexcept { return (event.data.u64 & 1) != 0; }

int MultiDriver::until_timer() const {
  if (!armed_) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(timer_ - Clock::now()).count();
  return left > 0 ? static_cast<int>(left) : 0;
}

void MultiDriver::act(const epoll_event& event) {
  const int fd = static_cast<int>(event.data.u64 / 2);
  const int what = ((event.events & (EPOLLIN | EPOLLHUP)) != 0 ? CURL_CSELECT_IN : 0) |
                   ((event.events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                   ((event.events & EPOLLERR) != 0 ? CURL_CSELECT_ERR : 0);
  int running = 0;
  curl_multi_socket_action(multi_, fd, what, &running);
}

void MultiDriver::act_on_timer() {
  armed_ = false;
  int running = 0;
  curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
}

}  // namespace bench
