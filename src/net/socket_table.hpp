/// Which descriptors libcurl wants watched, and which are: it changes its mind several times a
/// request, so only the difference at the end of a turn becomes a system call, and a connection
/// that goes idle stays watched for its next request.
#pragma once

#include <llmroute/net/reactor.hpp>
#include <vector>

namespace llmroute::net {

class SocketTable {
 public:
  explicit SocketTable(Reactor& reactor) noexcept : reactor_(reactor) {}
  SocketTable(const SocketTable&) = delete;
  SocketTable& operator=(const SocketTable&) = delete;

  /// A connection's socket: its end will be told by closing().
  void opened(int fd);

  /// About to be closed: stops watching at once, as the number may be used again right after.
  void closing(int fd);

  /// libcurl wants this from now on. Descriptors not told of by opened() (those of its name
  /// look-ups) are changed at once.
  void want(int fd, Interest interest);

  /// It reported readiness. False: nobody wants to know, an idle connection that the peer closed;
  /// no longer watched.
  bool wanted(int fd);

  /// Makes what is watched what is wanted.
  void flush();

  /// For a forked child: every connection's socket.
  template <class F>
  void each_open(F&& f) const {
    for (std::size_t fd = 0; fd < entries_.size(); ++fd) {
      if (entries_[fd].is_connection) f(static_cast<int>(fd));
    }
  }

 private:
  struct Entry {
    Interest wanted = Interest::none;
    Interest watched = Interest::none;
    bool is_connection = false;
    bool listed = false;  // in changed_
  };
  Entry& at(int fd);
  void apply(int fd, Entry& entry);

  Reactor& reactor_;
  std::vector<Entry> entries_;  // by descriptor
  std::vector<int> changed_;
};

}  // namespace llmroute::net
