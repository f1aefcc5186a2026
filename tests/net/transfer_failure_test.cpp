/// What libcurl lets pass, or names oddly, and what net makes of it: each fault is produced on a
/// real socket.
#include <catch2/catch.hpp>
#include <cstdlib>

#include "net/transfer_fixture.hpp"
#include "support/connection.hpp"

using namespace llmroute;
using namespace llmroute::test;
using net::Chunk;
using net::Endpoint;
using net::Loop;
using Kind = net::TransferError::Kind;

namespace {

/// How a whole transfer of this response fails.
Kind failure_of(Script script) {
  Loop loop;
  ScriptedUpstream node(std::move(script));
  const Fetched got = fetch(loop, endpoint(node), "{}");
  REQUIRE(got.kind == Chunk::Kind::failed);
  CHECK_FALSE(got.error->text.empty());
  return got.error->kind;
}

Script head_with(const std::string& line) {
  return raw("HTTP/1.1 200 OK\r\n" + line + "\r\n\r\n{}").close();
}

}  // namespace

TEST_CASE("a response that is not HTTP as it should be is the node's fault", "[net][hazard]") {
  const std::string line = GENERATE(
      "Content-Length: 2\r\nContent-Length: 2", "Content-Length: 2\r\nContent-Length: 3",
      "Content-Length: 18446744073709551616", "Content-Length: -1", "Content-Length: 0x2",
      "Content-Length: 2\r\nTransfer-Encoding: chunked",
      "Transfer-Encoding: chunked\r\nContent-Length: 2", "Transfer-Encoding: wobbly",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "X-A: a\rContent-Length: 2",
      "Content-Length : 2", "X-A: a\r\n folded", "no colon here", ": nameless");
  CAPTURE(line);
  CHECK(failure_of(head_with(line)) == Kind::protocol);
}

TEST_CASE("a status out of range is the node's fault", "[net][hazard]") {
  const std::string status = GENERATE("999", "600", "099", "101", "20", "abc");
  CAPTURE(status);
  const Script script = raw("HTTP/1.1 " + status + " X\r\nContent-Length: 2\r\n\r\n{}").close();
  CHECK(failure_of(script) == Kind::protocol);
}

TEST_CASE("bytes that are no HTTP are the node's fault", "[net][hazard]") {
  CHECK(failure_of(raw("SSH-2.0-OpenSSH_9.2\r\n\r\n").close()) == Kind::protocol);
  CHECK(failure_of(raw("\r\n\r\n\r\n").close()) == Kind::protocol);
  CHECK(failure_of(raw(std::string("HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 0\r\n\r\n", 48))
                       .close()) == Kind::protocol);
  CHECK(failure_of(raw(head(200, {{"Transfer-Encoding", "chunked"}}) + "zz\r\n{}\r\n").close()) ==
        Kind::cut);
}

TEST_CASE("a response head has limits", "[net][hazard]") {
  SECTION("of lines") {
    std::string many;
    for (int i = 0; i < 20'000; ++i) many += "X: y\r\n";
    CHECK(failure_of(raw("HTTP/1.1 200 OK\r\n" + many + "\r\n")) == Kind::protocol);
  }
  SECTION("of bytes") {
    const std::string line = "X: " + std::string(20'000, 'y') + "\r\n";
    CHECK(failure_of(raw("HTTP/1.1 200 OK\r\n" + line + line + line + line + "\r\n")) ==
          Kind::protocol);
  }
  SECTION("of one line") {
    CHECK(failure_of(raw("HTTP/1.1 200 OK\r\nX: " + std::string(1 << 20, 'y') + "\r\n\r\n")) ==
          Kind::protocol);
  }
  SECTION("of interim responses") {
    std::string interim;
    for (int i = 0; i < 1000; ++i) interim += "HTTP/1.1 100 Continue\r\n\r\n";
    CHECK(failure_of(raw(interim)) == Kind::protocol);
  }
}

TEST_CASE("a whole response cut at any byte is never taken for whole", "[net][hazard]") {
  const bool with_reset = GENERATE(false, true);
  const bool chunks = GENERATE(false, true);
  const Script whole = chunks ? chunked(200, {"{\"a\":", "1}"}) : answer(200, R"({"a":1})");
  const std::size_t head_size = whole.steps().front().bytes.find("\r\n\r\n") + 4;
  Loop loop;
  // libcurl does without the LF after the last chunk; the body is whole by then.
  const std::size_t end = whole.size() - (chunks ? 1 : 0);
  for (std::size_t n = 0; n < end; ++n) {
    CAPTURE(with_reset, chunks, n);
    ScriptedUpstream node(Script(whole).cut_at(n, with_reset));
    const Fetched got = fetch(loop, endpoint(node), "{}");
    REQUIRE(got.kind == Chunk::Kind::failed);
    // After an RST the kernel may drop what had arrived.
    if (!with_reset)
      CHECK(got.error->kind == (n < head_size ? Kind::reset_before_head : Kind::cut));
    if (with_reset && n < head_size) CHECK(got.error->kind == Kind::reset_before_head);
  }
}

TEST_CASE("a body ended by the connection's end is taken", "[net][hazard]") {
  Loop loop;
  ScriptedUpstream node(raw(head(200) + "{}").close());
  const Fetched got = fetch(loop, endpoint(node), "{}");
  CHECK(got.kind == Chunk::Kind::end);
  CHECK(got.body == "{}");
}

TEST_CASE("a body beyond max_body is too large, whatever its length field says", "[net][hazard]") {
  Loop loop;
  ScriptedUpstream node([](const SeenRequest&) {
    return chunked(200, {std::string(600, 'x'), std::string(600, 'x')});
  });
  const Endpoint to({.url = node.url(), .max_body = 1000});
  const Fetched got = fetch(loop, to, "{}");
  REQUIRE(got.kind == Chunk::Kind::failed);
  CHECK(got.error->kind == Kind::too_large);
}

TEST_CASE("a promised length costs no memory by itself", "[net][hazard]") {
  CHECK(failure_of(raw(head(200, {{"Content-Length", "9000000000000000000"}}) + "x").close()) ==
        Kind::cut);
}

TEST_CASE("a connection that is refused says so", "[net][hazard]") {
  Loop loop;
  const Endpoint to({.url = "http://127.0.0.1:" + std::to_string(refused_port())});
  const Fetched got = fetch(loop, to, "{}");
  REQUIRE(got.kind == Chunk::Kind::failed);
  CHECK(got.error->kind == Kind::connect);
  CHECK(got.status == 0);
}

TEST_CASE("redirects are answers, not followed", "[net][hazard]") {
  Loop loop;
  ScriptedUpstream elsewhere(answer(200, "{}"));
  ScriptedUpstream node(answer(307, "", {{"Location", elsewhere.url("/")}}));
  const Fetched got = fetch(loop, endpoint(node), "{}");
  CHECK(got.kind == Chunk::Kind::end);
  CHECK(got.status == 307);
  CHECK(elsewhere.connections() == 0);
}

TEST_CASE("proxies of the environment are used only when asked for", "[net][hazard]") {
  ScriptedUpstream node(answer(200, R"("node")"));
  ScriptedUpstream proxy(answer(200, R"("proxy")"));
  ::setenv("http_proxy", proxy.url().c_str(), 1);
  ::setenv("all_proxy", proxy.url().c_str(), 1);
  {
    Loop loop;
    CHECK(fetch(loop, endpoint(node), "{}").body == R"("node")");
    CHECK(fetch(loop, Endpoint({.url = node.url(), .proxy = "env"}), "{}").body == R"("proxy")");
    CHECK(fetch(loop, Endpoint({.url = node.url(), .proxy = proxy.url()}), "{}").body ==
          R"("proxy")");
  }
  ::unsetenv("http_proxy");
  ::unsetenv("all_proxy");
}

TEST_CASE("a header that would smuggle another is never sent", "[net][hazard]") {
  ScriptedUpstream node(answer(200, "{}"));
  Loop loop;
  SECTION("of an endpoint: refused when made, named without its value") {
    const auto make = [&] {
      Endpoint({.url = node.url(), .headers = {{"X-A", "secret\r\nX-B: 1"}}});
    };
    CHECK_THROWS_WITH(make(), Catch::Contains("X-A") && !Catch::Contains("secret"));
  }
  SECTION("of a call: the transfer fails") {
    const std::string name = GENERATE("X-A", "X A", "");
    const std::vector<Header> extra{{name, "secret\nX-B: 1"}};
    const Fetched got = fetch(loop, endpoint(node), "{}", extra);
    REQUIRE(got.kind == Chunk::Kind::failed);
    CHECK(got.error->kind == Kind::internal);
    CHECK(got.error->text.find("secret") == std::string::npos);
    CHECK(node.connections() == 0);
  }
}

TEST_CASE("a kept connection that the node has closed", "[net][hazard]") {
  Loop loop;
  SECTION("is noticed and replaced") {
    ScriptedUpstream node(answer(200, "{}"));
    const Endpoint to = endpoint(node);
    fetch(loop, to, "{}");
    node.close_idle();
    CHECK(fetch(loop, to, "{}").kind == Chunk::Kind::end);
    CHECK(node.connections() == 2);
    CHECK(node.request_count() == 2);
  }
  SECTION("is replaced after long use too, and again") {
    ScriptedUpstream node(answer(200, "{}"));
    const Endpoint to = endpoint(node);
    for (int lost = 0; lost < 3; ++lost) {
      for (int i = 0; i < 3; ++i) REQUIRE(fetch(loop, to, "{}").kind == Chunk::Kind::end);
      node.close_idle();
    }
    CHECK(node.connections() == 3);
    CHECK(node.request_count() == 9);
  }
  SECTION("leaves the connect clock to what takes its place") {
    auto node = std::make_unique<ScriptedUpstream>(answer(200, "{}"));
    const int port = node->port();
    const Endpoint to({.url = node->url(), .connect_timeout = std::chrono::milliseconds(50)});
    for (int i = 0; i < 3; ++i) REQUIRE(fetch(loop, to, "{}").kind == Chunk::Kind::end);
    node.reset();
    const Listener hole(0, 1, port);  // never accepts, and with its queue full drops what comes
    std::vector<std::unique_ptr<Connection>> fill;
    for (int i = 0; i < 8; ++i) fill.push_back(hole.connect_without_waiting());
    const Fetched got = fetch(loop, to, "{}");
    REQUIRE(got.kind == Chunk::Kind::failed);
    CHECK(got.error->kind == Kind::timeout_connect);
  }
  SECTION("at the moment of the request costs one replay") {
    // The second request on the first connection is answered by closing.
    ScriptedUpstream node([](const SeenRequest& request) {
      return request.number == 2 ? Script().close() : answer(200, "{}");
    });
    const Endpoint to = endpoint(node);
    fetch(loop, to, "{}");
    CHECK(fetch(loop, to, "{}").kind == Chunk::Kind::end);
    CHECK(node.request_count() == 3);
    CHECK(node.connections() == 2);
  }
  SECTION("is replayed once, however many kept connections there are") {
    Gate together;
    ScriptedUpstream node([&](const SeenRequest& request) {
      Script script;
      if (request.number <= 5)
        return script.wait(together), script.send(answer(200, "{}").steps()[0].bytes), script;
      return script.close();
    });
    const Endpoint to = endpoint(node);
    std::vector<net::Task<Fetched>> calls;
    for (int i = 0; i < 5; ++i) {
      calls.push_back(fetching(loop, to, "{}", {}));
      start(loop, calls.back());
    }
    REQUIRE(turn_until(loop, [&] { return node.request_count() == 5; }));
    together.open();
    for (auto& call : calls) REQUIRE(turn_until(loop, [&] { return call.done(); }));
    const Fetched got = fetch(loop, to, "{}");
    REQUIRE(got.kind == Chunk::Kind::failed);
    CHECK(got.error->kind == Kind::reset_before_head);
    CHECK(node.request_count() == 7);
  }
  SECTION("is not the first connection's fault: a fresh one is never replayed") {
    ScriptedUpstream node(Script().close());
    CHECK(fetch(loop, endpoint(node), "{}").error->kind == Kind::reset_before_head);
    CHECK(node.request_count() == 1);
  }
}
