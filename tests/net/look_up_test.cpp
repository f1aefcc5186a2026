/// Names that take their time. The test binary has a getaddrinfo of its own, which libcurl's
/// resolver threads then call.
#include <dlfcn.h>
#include <netdb.h>
#include <poll.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "net/transfer_fixture.hpp"
#include "support/connection.hpp"

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

/// 127.0.0.this is where moved.test is now.
std::atomic<int> moved_to{1};

/// Of moved.test.
std::atomic<int> look_ups{0};

/// The look-up of going.test hangs until the gate is open.
std::atomic<bool> lost{false};

Gate& found_again() {
  static Gate gate;
  return gate;
}

/// 127.0.0.2, where nobody is, before 127.0.0.1.
template <class F>
int both(F* look_up, const char* service, const addrinfo* hints, addrinfo** result) {
  addrinfo* second = nullptr;
  const int first_failed = look_up("127.0.0.2", service, hints, result);
  if (first_failed != 0) return first_failed;
  if (look_up("127.0.0.1", service, hints, &second) == 0) (*result)->ai_next = second;
  return 0;
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
  if (asked == "going.test") {
    pollfd wait{found_again().fd(), POLLIN, 0};
    if (lost) ::poll(&wait, 1, -1);
    return real("127.0.0.1", service, hints, result);
  }
  if (asked == "node.test") return real("127.0.0.1", service, hints, result);
  if (asked == "moved.test") {
    ++look_ups;
    const std::string address = "127.0.0." + std::to_string(moved_to);
    return real(address.c_str(), service, hints, result);
  }
  if (asked == "two.test") return both(real, service, hints, result);
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

TEST_CASE("a node that moved to another address is found", "[net][dns]") {
  Loop loop;
  ScriptedUpstream node(answer(200, "{}"));
  net::EndpointOptions options{.url = "http://moved.test:" + std::to_string(node.port())};

  SECTION("at once when the old one refuses") {
    options.address_age = 1h;
    const net::Endpoint to(options);
    moved_to = 2;  // where nobody listens
    CHECK(fetch(loop, to, "{}").error->kind == net::TransferError::Kind::connect);
    moved_to = 1;
    CHECK(fetch(loop, to, "{}").kind == Chunk::Kind::end);
    const int before = look_ups;
    const net::Endpoint aged({.url = options.url, .max_connection_age = 1s, .address_age = 1h});
    CHECK(turn_until(loop, [&] {
      REQUIRE(fetch(loop, aged, "{}").kind == Chunk::Kind::end);
      return node.connections() >= 2;
    }));
    CHECK(look_ups == before);  // what is well known is not asked for again
  }
  SECTION("with the first connection after address_age while the old one still answers") {
    options.address_age = 1s;
    options.max_connection_age = 1s;
    const net::Endpoint to(options);
    REQUIRE(fetch(loop, to, "{}").kind == Chunk::Kind::end);
    const int before = look_ups;
    CHECK(turn_until(loop, [&] {
      REQUIRE(fetch(loop, to, "{}").kind == Chunk::Kind::end);
      return look_ups > before;
    }));
  }
}

TEST_CASE("the connect clock goes for a look-up after a kept connection is gone", "[net][dns]") {
  Loop loop;
  ScriptedUpstream node(answer(200, "{}"));
  const net::Endpoint to({.url = "http://going.test:" + std::to_string(node.port()),
                          .connect_timeout = 50ms,
                          .address_age = 1s});
  for (int i = 0; i < 3; ++i) REQUIRE(fetch(loop, to, "{}").kind == Chunk::Kind::end);
  lost = true;
  CHECK(turn_until(loop, [&] {
    REQUIRE(fetch(loop, to, "{}").kind == Chunk::Kind::end);  // kept: needs no name
    node.close_idle();
    const Fetched got = fetch(loop, to, "{}");  // the address is known for another second
    if (got.kind != Chunk::Kind::failed) return false;
    CHECK(got.error->kind == net::TransferError::Kind::timeout_connect);
    return true;
  }));
  found_again().open();
}

TEST_CASE("of two addresses of which the first is dead the second serves", "[net][dns]") {
  Loop loop;
  ScriptedUpstream node(answer(200, "{}"));
  const net::Endpoint to(
      {.url = "http://two.test:" + std::to_string(node.port()), .connect_timeout = 1s});

  SECTION("when the first refuses") { CHECK(fetch(loop, to, "{}").kind == Chunk::Kind::end); }
  SECTION("when the first is a black hole, well within the connect clock") {
    // A listener that never accepts, with its queue filled, drops what else comes.
    Listener hole(0, 2, node.port());
    std::vector<std::unique_ptr<Connection>> fill;
    for (int i = 0; i < 8; ++i) fill.push_back(hole.connect_without_waiting());
    const Time before = Clock::now();
    CHECK(fetch(loop, to, "{}").kind == Chunk::Kind::end);
    CHECK(Clock::now() - before < 1s);
  }
  SECTION("when the first is a black hole by the time that a kept connection is lost") {
    ScriptedUpstream closing([](const SeenRequest& request) {
      return request.number == 4 ? Script().close() : answer(200, "{}");
    });
    const net::Endpoint there(
        {.url = "http://two.test:" + std::to_string(closing.port()), .connect_timeout = 1s});
    for (int i = 0; i < 3; ++i) REQUIRE(fetch(loop, there, "{}").kind == Chunk::Kind::end);
    Listener hole(0, 2, closing.port());
    std::vector<std::unique_ptr<Connection>> fill;
    for (int i = 0; i < 8; ++i) fill.push_back(hole.connect_without_waiting());
    CHECK(fetch(loop, there, "{}").kind == Chunk::Kind::end);
    CHECK(closing.request_count() == 5);
  }
}
