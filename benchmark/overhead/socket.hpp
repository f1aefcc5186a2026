/// Loopback TCP, non-blocking: the few calls that node, load and proxy share.
#pragma once

#include <string>
#include <string_view>

namespace bench {

int listen_on_loopback();
int port_of(int listener);
int accept_from(int listener);  ///< -1: nobody waits
int connect_to(int port);       ///< blocks until connected

/// Appends what has arrived. False: the peer has closed.
bool receive(int fd, std::string& in);

/// What is to be sent, and how much of it the kernel has taken.
class Outbox {
 public:
  /// Sends at once what the kernel takes and keeps the rest.
  void send(int fd, std::string_view bytes);

  /// Sends what was kept.
  void flush(int fd);

  bool empty() const noexcept { return waiting_.empty(); }

 private:
  std::string waiting_;
};

}  // namespace bench
