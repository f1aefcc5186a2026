// A node that is reached through a proxy: over TLS it is a tunnel, in which the two speak HTTP/2 as
// they would without it.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "net/http2_fixture.hpp"
#include "support/connection.hpp"

using namespace llmroute;
using namespace llmroute::test;
using net::Chunk;
using Kind = net::TransferError::Kind;

namespace {

/// Reads what there is and sends it on. False: one side has closed.
bool pass_on(int from, int to) {
  char bytes[16 * 1024];
  const ssize_t got = ::recv(from, bytes, sizeof bytes, 0);
  return got > 0 &&
         ::send(to, bytes, static_cast<std::size_t>(got), MSG_NOSIGNAL) == got;  // both block
}

int connected_to(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
  return fd;
}

/// Makes a tunnel to whatever port of 127.0.0.1 it is asked for, for one client after the other.
class ConnectProxy {
 public:
  explicit ConnectProxy(std::string answer = "HTTP/1.1 200 OK\r\n\r\n")
      : answer_(std::move(answer)), thread_([this] { run(); }) {}
  ~ConnectProxy() {
    stop_.open();
    thread_.join();
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(listener_.port()); }

  /// The request lines so far.
  std::vector<std::string> asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  void run() {
    while (const std::optional<int> client = listener_.accept(stop_)) {
      serve(*client);
      ::close(*client);
    }
  }

  void serve(int client) {
    std::string head;
    char byte = 0;
    while (!head.ends_with("\r\n\r\n") && ::recv(client, &byte, 1, 0) == 1) head += byte;
    {
      const std::lock_guard lock(mutex_);
      asked_.push_back(head.substr(0, head.find("\r\n")));
    }
    ::send(client, answer_.data(), answer_.size(), MSG_NOSIGNAL);
    if (answer_.find(" 200 ") == answer_.npos) return;
    const int node = connected_to(std::atoi(head.c_str() + head.find(':') + 1));
    pollfd fds[] = {{client, POLLIN, 0}, {node, POLLIN, 0}, {stop_.fd(), POLLIN, 0}};
    for (bool open = true; open && ::poll(fds, 3, -1) > 0 && fds[2].revents == 0;) {
      if (fds[0].revents != 0) open = pass_on(client, node);
      if (open && fds[1].revents != 0) open = pass_on(node, client);
    }
    ::close(node);
  }

  std::string answer_;
  Listener listener_{};
  Gate stop_{};
  mutable std::mutex mutex_{};
  std::vector<std::string> asked_{};
  std::thread thread_;
};

net::Endpoint through(const ConnectProxy& proxy, const H2Fixture& http2) {
  net::EndpointOptions options = http2.to.options();
  options.proxy = proxy.url();
  return net::Endpoint(options);
}

}  // namespace

TEST_CASE("a node of HTTP/2 behind a proxy", "[net][http2][proxy]") {
  SECTION("is reached through a tunnel, which is kept") {
    H2Fixture http2([](const SeenRequest& request) {
      return request.body == "{}" ? h2_answer(200, "{}") : h2_events({sse("a"), done()}).end();
    });
    const ConnectProxy proxy;
    const net::Endpoint to = through(proxy, http2);
    for (int i = 0; i < 3; ++i) CHECK(fetch(http2.loop, to, "{}").body == "{}");
    {
      HttpTransferOnLoop stream(http2.loop, to, "{ }");
      CHECK(read_all(stream).body == sse("a") + done());
    }
    const std::string address = http2.node.url().substr(std::string("https://").size());
    CHECK(proxy.asked() == std::vector<std::string>{"CONNECT " + address + " HTTP/1.1"});
    CHECK(http2.node.offered() == "h2 http/1.1");
    CHECK(http2.node.connections() == 1);
  }
  SECTION("says itself what came of a request") {
    H2Fixture http2(H2Script().head(503, {{"x-a", "b"}}).data("{}").end());
    const ConnectProxy proxy;
    HttpTransferOnLoop stream(http2.loop, through(proxy, http2));
    REQUIRE(stream.next().kind == Chunk::Kind::head);
    CHECK(stream->status() == 503);
    CHECK(stream->headers().find("x-a") == "b");
  }
  SECTION("is not asked when the proxy refuses") {
    H2Fixture http2(h2_answer(200, "{}"));
    const ConnectProxy proxy("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    const Fetched got = fetch(http2.loop, through(proxy, http2), "{}");
    REQUIRE(got.kind == Chunk::Kind::failed);
    CHECK(got.error->kind == Kind::reset_before_head);
    CHECK(http2.node.connections() == 0);
  }
  SECTION("is the proxy's to cut") {
    H2Fixture http2(H2Script().head(200).data("{").close());
    const ConnectProxy proxy;
    const Fetched got = fetch(http2.loop, through(proxy, http2), "{}");
    REQUIRE(got.kind == Chunk::Kind::failed);
    CHECK(got.error->kind == Kind::cut);
  }
}
