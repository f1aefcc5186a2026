/// A node that costs next to nothing, so that what stands before it is what is measured.
///
///     bench_node [--chunks N] [--pace MS]
///
/// Without a pace an answer leaves at once, a stream in one write. With it, one chunk of every
/// stream each MS milliseconds (0: each turn), so that the reader sees them one at a time; a plain
/// answer waits as long, so that the reader always waits for it.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "answers.hpp"
#include "message.hpp"
#include "poller.hpp"
#include "socket.hpp"

namespace {

using Clock = std::chrono::steady_clock;

struct Connection {
  int fd;
  std::string in{};
  bench::Outbox out{};
  int chunks_left = 0;
  std::string_view last{};  ///< what comes behind the chunks
};

class Node {
 public:
  Node(int chunks, int pace) : chunks_(chunks), pace_(pace) {
    for (int i = 0; i < chunks; ++i) whole_stream_ += chunk_;
    whole_stream_ += bench::stream_end();
    std::printf("%d\n", bench::port_of(listener_));
    std::fflush(stdout);
    poller_.add(listener_, nullptr);
  }

  [[noreturn]] void run() {
    for (;;) {
      for (const epoll_event& event : poller_.wait(until_tick())) {
        if (event.data.ptr == nullptr)
          accept_all();
        else
          on_ready(*static_cast<Connection*>(event.data.ptr), event.events);
      }
      if (!under_way_.empty() && Clock::now() >= tick_) send_one_each();
    }
  }

 private:
  int until_tick() const {
    if (under_way_.empty()) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(tick_ - Clock::now()).count();
    return left > 0 ? static_cast<int>(left) : 0;
  }

  void accept_all() {
    for (int fd = bench::accept_from(listener_); fd >= 0; fd = bench::accept_from(listener_))
      poller_.add(fd, new Connection{fd});
  }

  void on_ready(Connection& connection, std::uint32_t events) {
    if ((events & EPOLLOUT) != 0) flush(connection);
    if ((events & EPOLLIN) == 0) return;
    if (!bench::receive(connection.fd, connection.in)) return drop(connection);
    while (const auto message = bench::first_message(connection.in)) {
      const bool stream = message->body.find("\"stream\":true") != message->body.npos;
      connection.in.erase(0, message->length);
      if (pace_ < 0)
        send(connection, stream ? whole_stream_ : plain_);
      else
        start(connection, stream);
    }
  }

  void start(Connection& connection, bool stream) {
    if (stream) send(connection, head_ + chunk_);
    connection.chunks_left = stream ? chunks_ - 1 : 0;
    connection.last = stream ? end_ : plain_;
    if (under_way_.empty()) tick_ = Clock::now() + std::chrono::milliseconds(pace_);
    under_way_.push_back(&connection);
  }

  void send_one_each() {
    tick_ = Clock::now() + std::chrono::milliseconds(pace_);
    std::erase_if(under_way_, [this](Connection* connection) {
      const bool more = connection->chunks_left-- > 0;
      send(*connection, more ? chunk_ : connection->last);
      return !more;
    });
  }

  void send(Connection& connection, std::string_view bytes) {
    connection.out.send(connection.fd, bytes);
    if (!connection.out.empty()) poller_.change(connection.fd, &connection, EPOLLIN | EPOLLOUT);
  }

  void flush(Connection& connection) {
    connection.out.flush(connection.fd);
    if (connection.out.empty()) poller_.change(connection.fd, &connection, EPOLLIN);
  }

  void drop(Connection& connection) {
    std::erase(under_way_, &connection);
    close(connection.fd);
    delete &connection;
  }

  const int chunks_;
  const int pace_;
  const std::string plain_ = bench::plain_answer();
  const std::string head_ = bench::stream_head();
  const std::string chunk_ = bench::stream_chunk();
  const std::string end_ = bench::stream_end();
  std::string whole_stream_ = head_;
  const int listener_ = bench::listen_on_loopback();
  bench::Poller poller_;
  std::vector<Connection*> under_way_;  ///< answers under way, paced
  Clock::time_point tick_{};
};

}  // namespace

int main(int argc, char** argv) {
  int chunks = 100;
  int pace = -1;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    if (flag == "--chunks") chunks = std::atoi(argv[i + 1]);
    if (flag == "--pace") pace = std::atoi(argv[i + 1]);
  }
  Node(chunks, pace).run();
}
