/// A load that costs next to nothing: keep-alive connections that ask again and again, and check
/// that every answer is whole and the same.
///
///     bench_load PORT plain|stream CALLS [CONNECTIONS]
///     bench_load PORT hold CALLS
///
/// `hold` opens CALLS streams, waits for the first chunk of each, says so, and keeps them until its
/// input ends. BENCH_KEY, when set, is the caller's key.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "answers.hpp"
#include "client.hpp"
#include "message.hpp"
#include "meter.hpp"
#include "poller.hpp"
#include "socket.hpp"

namespace {

/// Of the caller, for a gateway that asks for one.
std::string key() {
  const char* given = std::getenv("BENCH_KEY");
  return given == nullptr ? std::string() : given;
}

struct Connection {
  int fd;
  std::string in{};
  std::string body{};
  bool in_chunks = false;  ///< the head is read, the chunks are coming
  bench::ChunkReader chunks{};
};

class Load {
 public:
  explicit Load(const bench::Client& client) : client_(client), meter_(client.calls) {}

  int run() {
    for (int i = 0; i < client_.in_flight; ++i) ask(connect());
    while (!meter_.finished()) {
      for (const epoll_event& event : poller_.wait(-1)) {
        auto& connection = *static_cast<Connection*>(event.data.ptr);
        if (!bench::receive(connection.fd, connection.in)) return lost();
        while (take_answer(connection)) finish(connection);
      }
    }
    return meter_.report();
  }

  /// Streams that are under way and say nothing.
  int hold() {
    for (long i = 0; i < client_.calls; ++i) {
      Connection& connection = connect();
      ask(connection);
      while (connection.body.empty()) {
        poller_.wait(-1);
        if (!bench::receive(connection.fd, connection.in)) return lost();
        take_answer(connection);
      }
    }
    std::puts("held");
    std::fflush(stdout);
    return std::getchar() == EOF ? 0 : 1;
  }

 private:
  static int lost() {
    std::fputs("a connection was closed\n", stderr);
    return 1;
  }

  Connection& connect() {
    connections_.push_back(
        std::make_unique<Connection>(Connection{bench::connect_to(client_.port)}));
    Connection& connection = *connections_.back();
    poller_.add(connection.fd, &connection);
    return connection;
  }

  void ask(Connection& connection) {
    if (asked_ == client_.calls) return;
    ++asked_;
    bench::Outbox().send(connection.fd, question_);  // a few hundred bytes: always taken whole
  }

  /// True: one answer is whole, its body in `body`.
  bool take_answer(Connection& connection) {
    if (!connection.in_chunks) {
      const auto message = bench::first_message(connection.in);
      if (!message) return false;
      if (!message->head.starts_with("HTTP/1.1 200 ")) meter_.count_failure();
      connection.body = message->body;
      connection.in_chunks = message->chunked;
      connection.chunks = {};
      connection.in.erase(0, message->length);
      if (!message->chunked) return true;
    }
    connection.in.erase(0, connection.chunks.take(connection.in, connection.body));
    if (!connection.chunks.done()) return false;
    connection.in_chunks = false;
    return true;
  }

  void finish(Connection& connection) {
    if (first_.empty()) first_ = connection.body;
    const std::string_view end = client_.stream ? "data: [DONE]\n\n" : "}";
    if (connection.body != first_ || !connection.body.ends_with(end)) meter_.count_failure();
    connection.body.clear();
    meter_.count_call();
    ask(connection);
  }

  bench::Client client_;
  bench::Poller poller_;
  std::vector<std::unique_ptr<Connection>> connections_;
  const std::string question_ = bench::post(bench::question(client_.stream), key());
  std::string first_;  ///< the first answer's body
  long asked_ = 0;
  bench::Meter meter_;
};

}  // namespace

int main(int argc, char** argv) {
  bench::Client client = bench::read_client(argc, argv);
  if (std::string_view(argv[2]) != "hold") return Load(client).run();
  client.stream = true;
  return Load(client).hold();
}
