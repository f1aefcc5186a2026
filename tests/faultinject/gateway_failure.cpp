// Every allocation that the gateway's own thread makes for a few requests fails once: one caller
// gets an error or a broken connection, and the others are served as if nothing had been.
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "faultinject/failing.hpp"
#include "gateway/gateway.hpp"
#include "gateway/worker.hpp"
#include "router/router_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

/// A worker on a thread of its own, on which the n-th allocation fails.
class FailingGateway {
 public:
  FailingGateway(const std::string& node, long nth) : gateway_(made(node)) {
    const auto port = worker_.listen("127.0.0.1", 0);
    REQUIRE(port);
    port_ = *port;
    thread_ = std::thread([this, nth] {
      const FailNth failing(Failing::allocations, HowOften::once, nth);
      worker_.run();
      failed_ = failing.failed();
    });
  }

  /// Served to the end, and nothing is left. Whether there was an n-th allocation.
  bool end() {
    worker_.drain();
    thread_.join();
    const Snapshot left = gateway_->router().snapshot();
    CHECK(left.in_flight == 0);
    CHECK(left.nodes[0].in_flight == 0);
    return failed_;
  }

  /// All that comes of one request; "" when the connection breaks before an answer.
  std::string ask(std::string_view body) const {
    const std::string request = fmt::format(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        "Content-Length: {}\r\n\r\n{}",
        body.size(), body);
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port_);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
    ::send(fd, request.data(), request.size(), MSG_NOSIGNAL);
    std::string answer;
    char bytes[4096];
    ssize_t got = 0;
    while ((got = ::recv(fd, bytes, sizeof bytes, 0)) > 0) answer.append(bytes, got);
    CHECK((got == 0 || errno == ECONNRESET));  // never left waiting
    ::close(fd);
    return answer;
  }

 private:
  static std::unique_ptr<gateway::Gateway> made(const std::string& node) {
    gateway::Options options;
    options.router = config_for({node});
    options.logging.console = false;
    auto gateway = gateway::Gateway::create(std::move(options));
    REQUIRE(gateway);
    return std::move(*gateway);
  }

  std::unique_ptr<gateway::Gateway> gateway_;
  http::ConnectionCaps caps_{100, 100};
  gateway::Worker worker_{*gateway_, caps_};
  std::uint16_t port_ = 0;
  bool failed_ = false;
  std::thread thread_{};
};

struct Scene {
  const char* name;
  std::string body;
  Script script;
  std::string text;  ///< in every whole answer
  std::string last;  ///< what a whole answer ends with
};

std::vector<Scene> scenes() {
  const std::string streamed = R"({"model":"m","stream":true,"messages":[]})";
  return {{"a plain answer", std::string(hello), answer(200, chat_completion("x")),
           chat_completion("x"), "}"},
          {"a stream", streamed,
           event_stream({chat_chunk("a"), chat_chunk("b"), chat_finish(), done()}), chat_chunk("b"),
           "0\r\n\r\n"}};
}

bool whole(const std::string& answer, const Scene& scene) {
  return answer.starts_with("HTTP/1.1 200") && answer.ends_with(scene.last) &&
         answer.find(scene.text) != std::string::npos;
}

/// An error in its own right, or in the stream, or no answer that could be taken for one.
bool says_why(const std::string& answer, const Scene& scene) {
  const bool error = answer.find(R"("error")") != std::string::npos;
  return answer.empty() || error || !answer.ends_with(scene.last);
}

}  // namespace

TEST_CASE("the n-th allocation of a gateway on the way of", "[faultinject][gateway]") {
#if !defined(__OPTIMIZE__) && !defined(SIMDJSON_DEVELOPMENT_CHECKS)
  return;  // simdjson 3.0 then keeps books on its own use, in memory that it may not have
#endif
  for (const Scene& scene : scenes()) {
    DYNAMIC_SECTION(scene.name) {
      ScriptedUpstream node(scene.script);
      bool failed = true;
      for (long nth = 1; failed; ++nth) {
        CAPTURE(nth);
        FailingGateway gateway(node.url(), nth);
        int spoilt = 0;
        for (int request = 0; request < 3; ++request) {
          const std::string got = gateway.ask(scene.body);
          CAPTURE(request, got);
          if (whole(got, scene)) continue;
          ++spoilt;
          CHECK(says_why(got, scene));
        }
        CHECK(spoilt <= 1);
        failed = gateway.end();
      }
    }
  }
}
