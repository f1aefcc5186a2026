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

  /// A new socket. libcurl 7.88 closes one that never became a connection without a word, so this
  /// may be an old number.
  void opened(int fd);

  /// It carries a response: from here on its end will be told by closing(), and it may be kept
  /// while idle.
  void established(int fd) { at(fd).is_connection = true; }

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
  void list_if_changed(int fd, Entry& entry);
  void apply(int fd, Entry& entry);

  Reactor& reactor_;
  std::vector<Entry> entries_;  // by descriptor
  std::vector<int> changed_;
};

}  // namespace llmroute::net
