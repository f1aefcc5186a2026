/// Names that take their time. The test binary has a getaddrinfo of its own, which libcurl's
/// resolver threads then call.
#include <dlfcn.h>
#include <netdb.h>
#include <poll.h>

#include <catch2/catch.hpp>
#include <string_view>

#include "net/transfer_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;
using namespace std::chrono_literals;
using net::Chunk;
using net::Loop;
using net::Task;

namespace {

/// Opened when the tests that need slow names are over: until then a slow look-up hangs.
Gate& slow_names() {
  static Gate gate;
  return gate;
}

Gate& look_up_begun() {
  static Gate gate;
  return gate;
}

}  // namespace

extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints,
                           addrinfo** result) {
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "getaddrinfo"));
  const std::string_view asked = name != nullptr ? name : "";
  if (asked == "slow.test") {
    look_up_begun().open();
    pollfd wait{slow_names().fd(), POLLIN, 0};
    ::poll(&wait, 1, -1);
    return EAI_NONAME;
  }
  if (asked == "none.test") return EAI_NONAME;
  if (asked == "node.test") return real("127.0.0.1", service, hints, result);
  return real(name, service, hints, result);
}

TEST_CASE("a name", "[net][dns]") {
  Loop loop;
  SECTION("is looked up") {
    ScriptedUpstream node(answer(200, "{}"));
    const net::Endpoint to({.url = "http://node.test:" + std::to_string(node.port())});
    CHECK(fetch(loop, to, "{}").kind == Chunk::Kind::end);
    Loop other;  // shares what is known
    CHECK(fetch(other, to, "{}").kind == Chunk::Kind::end);
  }
  SECTION("that nobody knows says so") {
    const Fetched got = fetch(loop, net::Endpoint({.url = "http://none.test:1"}), "{}");
    REQUIRE(got.kind == Chunk::Kind::failed);
    CHECK(got.error->kind == net::TransferError::Kind::dns);
    CHECK(got.error->text.find("none.test") != std::string::npos);
  }
}

TEST_CASE(
    "a call cancelled in the middle of a slow name look-up ends at once, and its loop goes on",
    "[net][dns]") {
  Loop loop;
  ScriptedUpstream node(answer(200, "{}"));
  const net::Endpoint slow({.url = "http://slow.test:1"});
  const net::Endpoint fast = endpoint(node);
  Task<Fetched> call = fetching(loop, slow, "{}", {});
  start(loop, call);
  REQUIRE(turn_until(loop, [] {
    pollfd begun{look_up_begun().fd(), POLLIN, 0};
    return ::poll(&begun, 1, 0) == 1;
  }));
  CHECK(fetch(loop, fast, "{}").kind == Chunk::Kind::end);  // others are served meanwhile
  const Time before = Clock::now();
  call.reset();
  CHECK(fetch(loop, fast, "{}").kind == Chunk::Kind::end);
  CHECK(Clock::now() - before < 2s);  // the look-up is still hanging
  slow_names().open();
}
