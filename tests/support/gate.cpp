/// A gate is an eventfd that is never read.
#include "support/gate.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace llmroute::test {

struct Gate::Event {
  Event() : fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { ::close(fd); }
  int fd;
};

Gate::Gate() : event_(std::make_shared<Event>()) {}

void Gate::open() const {
  if (eventfd_write(event_->fd, 1) != 0)
    throw std::system_error(errno, std::generic_category(), "eventfd");
}

int Gate::fd() const noexcept { return event_->fd; }

}  // namespace llmroute::test
