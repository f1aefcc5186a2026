/// A server on several addresses, and what a request knows of how it came.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>
#include <string>
#include <thread>

#include "http/server.hpp"

using namespace std::chrono_literals;

namespace {

/// Says by which listener a request came, and from whom.
class Telling final : public http::Handler {
 public:
  std::optional<http::Response> on_head(http::Request&) override { return std::nullopt; }
  void on_request(http::Request request, http::Responder responder) override {
    responder.send(
        {.body = std::to_string(request.listener()) + " " + std::string(request.client())});
  }
  http::Response refuse(const http::Fault& fault, const http::Request& request) override {
    return {.status = fault.status,
            .body = std::string(request.method()) + " " + std::string(request.target()) + " " +
                    std::string(request.client())};
  }
};

/// A server that runs on a thread of its own, between construction and destruction.
class Running {
 public:
  explicit Running(const http::ServerOptions& options = {}, std::size_t per_address = 0,
                   std::size_t all = 100, std::size_t body_bytes = 0)
      : caps(all, per_address, body_bytes), server(context, handler, options, caps) {}
  ~Running() { stop(); }

  void run() {
    thread = std::thread([this] { context.run(); });
  }
  void stop() {
    if (!thread.joinable()) return;
    boost::asio::post(context, [this] { server.drain([this] { context.stop(); }); });
    thread.join();
  }

  Telling handler;
  boost::asio::io_context context{1};
  http::ConnectionCaps caps;
  http::Server server;
  std::thread thread;
};

/// All that comes back for these bytes on a connection of their own.
std::string send(std::uint16_t port, const std::string& bytes) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0) {
    (void)!write(fd, bytes.data(), bytes.size());
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = read(fd, buffer.data(), buffer.size())) > 0;)
      answer.append(buffer.data(), static_cast<std::size_t>(got));
  }
  close(fd);
  return answer;
}

/// Behind the last line end.
std::string body_of(const std::string& answer) {
  return answer.substr(std::min(answer.size(), answer.rfind("\r\n") + 2));
}

/// What comes back for a request of its own connection.
std::string ask(std::uint16_t port, const std::string& fields = "") {
  return body_of(
      send(port, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + fields + "\r\n"));
}

}  // namespace

TEST_CASE("a request says by which listener it came", "[http][server]") {
  Running running;
  const auto first = running.server.listen("127.0.0.1", 0);
  const auto second = running.server.listen("localhost", 0, 7);
  REQUIRE((first && second));
  CHECK(*first != *second);
  running.run();
  CHECK(ask(*first) == "0 127.0.0.1");
  CHECK(ask(*second) == "7 127.0.0.1");
  running.stop();  // drains both
  CHECK(ask(*first).empty());
  CHECK(ask(*second).empty());
}

TEST_CASE("a caller that comes by IPv4 to an address of IPv6 keeps its own", "[http][server]") {
  Running running;
  const auto port = running.server.listen("::", 0);
  if (!port) return;  // a machine without IPv6
  running.run();
  CHECK(ask(*port) == "0 127.0.0.1");
}

TEST_CASE("an address that cannot be listened on is named", "[http][server]") {
  Running running;
  const char* host = GENERATE("nowhere", "192.0.2.1", "");
  const auto port = running.server.listen(host, 0);
  REQUIRE_FALSE(port);
  CHECK_THAT(port.error().message, Catch::Contains("cannot listen on " + std::string(host) + ":0"));
}

TEST_CASE("a trusted proxy says whom a request is from", "[http][server]") {
  http::ServerOptions options;
  options.trusted_proxies = *http::AddressSet::of({"127.0.0.1"});
  Running running(options, 1);
  const auto port = running.server.listen("127.0.0.1", 0);
  REQUIRE(port);
  running.run();
  CHECK(ask(*port, "X-Forwarded-For: 1.2.3.4\r\n") == "0 1.2.3.4");
  CHECK(ask(*port, "X-Forwarded-For: 1.2.3.4\r\n") == "0 1.2.3.4");  // its place was given back
  CHECK(ask(*port) == "0 127.0.0.1");
  CHECK(running.caps.counts_addresses());
}

TEST_CASE("places are counted in all and for each address", "[http][server]") {
  http::ConnectionCaps caps(3, 2);
  CHECK(caps.enter("a"));
  CHECK(caps.enter("a"));
  CHECK_FALSE(caps.enter("a"));
  CHECK(caps.enter(""));
  CHECK_FALSE(caps.enter("b"));
  CHECK_FALSE(caps.enter_address("a"));
  caps.leave("a");
  CHECK(caps.enter_address("a"));
  caps.leave_address("a");
  CHECK(caps.enter("b"));
  CHECK_FALSE(http::ConnectionCaps(1, 0).counts_addresses());
}

TEST_CASE("bytes are counted in all", "[http][server]") {
  http::ConnectionCaps caps(1, 0, 100);
  CHECK(caps.take(60));
  CHECK_FALSE(caps.take(41));
  CHECK(caps.take(40));
  caps.give_back(60);
  CHECK(caps.take(60));
  CHECK(http::ConnectionCaps(1, 0).take(std::size_t{1} << 60));
}

TEST_CASE("a listener with caps of its own lets in who finds the others full", "[http][server]") {
  Running running({}, 0, 0);
  http::ConnectionCaps own(1, 0);
  const auto first = running.server.listen("127.0.0.1", 0);
  const auto second = running.server.listen("127.0.0.1", 0, 7, nullptr, &own);
  REQUIRE((first && second));
  running.run();
  CHECK(ask(*first).empty());
  CHECK(ask(*second) == "7 127.0.0.1");
  CHECK(ask(*second) == "7 127.0.0.1");  // its place was given back
}

TEST_CASE("a refusal is told what could be read of the request", "[http][server]") {
  Running running;
  const auto port = running.server.listen("127.0.0.1", 0);
  REQUIRE(port);
  running.run();
  CHECK(body_of(send(*port, "GET /a HTTP/1.1\r\nHost: x\r\nX : y\r\n\r\n")) == "GET /a 127.0.0.1");
  CHECK(body_of(send(*port,
                     "POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n")) ==
        "POST /b 127.0.0.1");
  CHECK(body_of(send(*port, "\n")) == "  127.0.0.1");
}

TEST_CASE("an error after a HEAD, or after HTTP/1.0, is answered whole", "[http][server]") {
  Running running;
  const auto port = running.server.listen("127.0.0.1", 0);
  REQUIRE(port);
  running.run();
  const std::string answers =
      send(*port, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nX : y\r\n\r\n");
  CHECK_THAT(answers,
             Catch::Contains("400 Bad Request") && Catch::EndsWith("\r\n\r\nGET / 127.0.0.1"));
}

TEST_CASE("bodies beyond what there is room for are refused until others end", "[http][server]") {
  Running running({}, 0, 100, 1000);
  const auto port = running.server.listen("127.0.0.1", 0);
  REQUIRE(port);
  running.run();
  const auto chunks = [&](std::size_t size) {
    std::string bytes =
        "POST /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (std::size_t i = 0; i < size / 100; ++i) bytes += "64\r\n" + std::string(100, 'x') + "\r\n";
    return send(*port, bytes + "0\r\n\r\n");
  };
  for (int i = 0; i < 3; ++i) {
    CHECK_THAT(chunks(1000), Catch::Contains("200 OK"));
    CHECK_THAT(chunks(1100), Catch::Contains("503 Service Unavailable"));
  }
}
