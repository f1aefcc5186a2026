/// What goes wrong over HTTP/2, and what net makes of it: each fault is produced by a node's
/// frames.
#include <catch2/catch.hpp>

#include "net/http2_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;
using net::Chunk;
using Kind = net::TransferError::Kind;

namespace {

// RFC 9113, section 7.
constexpr std::uint32_t no_error = 0;
constexpr std::uint32_t internal_error = 2;
constexpr std::uint32_t refused_stream = 7;

Kind failure_of(const H2Script& script) {
  H2Fixture http2(script);
  const Fetched got = fetch(http2.loop, http2.to, "{}");
  REQUIRE(got.kind == Chunk::Kind::failed);
  CHECK_FALSE(got.error->text.empty());
  return got.error->kind;
}

}  // namespace

TEST_CASE("a stream of HTTP/2 that the node resets", "[net][http2][hazard]") {
  SECTION("before its head") {
    CHECK(failure_of(H2Script().reset(internal_error)) == Kind::reset_before_head);
  }
  SECTION("within its body") {
    CHECK(failure_of(H2Script().head(200).data("{").reset(internal_error)) == Kind::cut);
    H2Script script = H2Script().head(200, {{"content-length", "2"}});
    CHECK(failure_of(script.data("{").reset(no_error)) == Kind::cut);
  }
  SECTION("leaves others as they are") {
    Gate gate;
    H2Fixture http2([&](const SeenRequest& request) {
      H2Script script = h2_events({sse("a")}).wait(gate);
      return request.number == 1 ? script.reset(internal_error) : script.data(sse("b")).end();
    });
    HttpTransferOnLoop one(http2.loop, http2.to);
    HttpTransferOnLoop other(http2.loop, http2.to);
    REQUIRE(one.next().kind == Chunk::Kind::head);
    REQUIRE(other.next().kind == Chunk::Kind::head);
    gate.open();
    const Fetched first = read_all(one);
    const Fetched second = read_all(other);
    CHECK((first.kind == Chunk::Kind::failed) != (second.kind == Chunk::Kind::failed));
    CHECK(first.body.substr(0, sse("a").size()) == sse("a"));
  }
  SECTION("as refused is asked for once more, on another connection, and not for ever") {
    H2Fixture http2([](const SeenRequest& request) {
      return request.number == 1 ? H2Script().reset(refused_stream) : h2_answer(200, "{}");
    });
    CHECK(fetch(http2.loop, http2.to, "{}").kind == Chunk::Kind::end);
    CHECK(http2.node.request_count() == 2);

    H2Fixture never_served(H2Script().reset(refused_stream));
    const Fetched got = fetch(never_served.loop, never_served.to, "{}");
    REQUIRE(got.kind == Chunk::Kind::failed);
    CHECK(got.error->kind == Kind::reset_before_head);
    CHECK(never_served.node.request_count() == 2);
  }
}

TEST_CASE("a node of HTTP/2 that goes away", "[net][http2][hazard]") {
  SECTION("lets the stream under way end, and gets no other on that connection") {
    H2Fixture http2(H2Script().goaway(no_error, true).head(200).data("{}").end());
    CHECK(fetch(http2.loop, http2.to, "{}").body == "{}");
    CHECK(fetch(http2.loop, http2.to, "{}").body == "{}");
    CHECK(http2.node.connections() == 2);
  }
  SECTION("in mid-stream lets it end as well") {
    H2Fixture http2(h2_events({sse("a")}).goaway(no_error, true).data(done()).end());
    HttpTransferOnLoop transfer(http2.loop, http2.to);
    const Fetched got = read_all(transfer);
    CHECK(got.kind == Chunk::Kind::end);
    CHECK(got.body == sse("a") + done());
  }
  SECTION("without having looked at the request is asked once more, if the connection was kept") {
    H2Fixture http2([](const SeenRequest& request) {
      return request.number == 2 ? H2Script().goaway(no_error, false) : h2_answer(200, "{}");
    });
    fetch(http2.loop, http2.to, "{}");
    CHECK(fetch(http2.loop, http2.to, "{}").kind == Chunk::Kind::end);
    CHECK(http2.node.request_count() == 3);
    CHECK(failure_of(H2Script().goaway(no_error, false)) == Kind::reset_before_head);
  }
  SECTION("and closes before the end fails the stream") {
    CHECK(failure_of(H2Script().head(200).data("{").goaway(no_error, true).close()) == Kind::cut);
    CHECK(failure_of(H2Script().goaway(internal_error, true).close()) == Kind::reset_before_head);
  }
}

TEST_CASE("a connection of HTTP/2 that is cut", "[net][http2][hazard]") {
  SECTION("before the head") { CHECK(failure_of(H2Script().close()) == Kind::reset_before_head); }
  SECTION("within a body, of whatever length") {
    CHECK(failure_of(H2Script().head(200).data("{").close()) == Kind::cut);
    CHECK(failure_of(H2Script().head(200, {{"content-length", "2"}}).data("{").close()) ==
          Kind::cut);
  }
  SECTION("fails every stream on its way") {
    H2Fixture http2(h2_events({sse("a")}));
    std::vector<std::unique_ptr<HttpTransferOnLoop>> streams;
    for (int i = 0; i < 5; ++i) {
      streams.push_back(std::make_unique<HttpTransferOnLoop>(http2.loop, http2.to));
      REQUIRE(streams.back()->next().kind == Chunk::Kind::head);
      REQUIRE(streams.back()->next().bytes == sse("a"));
    }
    http2.node.drop_connections();
    for (auto& stream : streams) {
      const Fetched got = read_all(*stream);
      REQUIRE(got.kind == Chunk::Kind::failed);
      CHECK(got.error->kind == Kind::cut);
    }
  }
}

TEST_CASE("a kept connection of HTTP/2 that the node has closed", "[net][http2][hazard]") {
  SECTION("is noticed and replaced") {
    H2Fixture http2(h2_answer(200, "{}"));
    fetch(http2.loop, http2.to, "{}");
    http2.node.drop_connections();
    CHECK(fetch(http2.loop, http2.to, "{}").kind == Chunk::Kind::end);
    CHECK(http2.node.connections() == 2);
    CHECK(http2.node.request_count() == 2);
  }
  SECTION("at the moment of the request costs one replay") {
    H2Fixture http2([](const SeenRequest& request) {
      return request.number == 2 ? H2Script().close() : h2_answer(200, "{}");
    });
    fetch(http2.loop, http2.to, "{}");
    CHECK(fetch(http2.loop, http2.to, "{}").kind == Chunk::Kind::end);
    CHECK(http2.node.request_count() == 3);
    CHECK(http2.node.connections() == 2);
  }
  SECTION("is replayed once only") {
    H2Fixture http2([](const SeenRequest& request) {
      return request.number >= 2 ? H2Script().close() : h2_answer(200, "{}");
    });
    fetch(http2.loop, http2.to, "{}");
    const Fetched got = fetch(http2.loop, http2.to, "{}");
    REQUIRE(got.kind == Chunk::Kind::failed);
    CHECK(got.error->kind == Kind::reset_before_head);
    CHECK(http2.node.request_count() == 3);
  }
  SECTION("is not the first connection's fault: a fresh one is never replayed") {
    H2Fixture http2(H2Script().close());
    CHECK(fetch(http2.loop, http2.to, "{}").error->kind == Kind::reset_before_head);
    CHECK(http2.node.request_count() == 1);
  }
}

TEST_CASE("a response head of HTTP/2 has limits", "[net][http2][hazard]") {
  const bool streamed = GENERATE(false, true);
  CAPTURE(streamed);
  H2Script script;
  SECTION("of lines") {
    Headers many;
    for (int i = 0; i < 2000; ++i) many.add("x-" + std::to_string(i), "y");
    script.head(200, many);
  }
  SECTION("of bytes") {
    Headers large;
    for (int i = 0; i < 8; ++i) large.add("x-" + std::to_string(i), std::string(12'000, 'y'));
    script.head(200, large);
  }
  SECTION("of one line") { script.head(200, {{"x-a", std::string(1 << 20, 'y')}}); }
  SECTION("of interim responses") {
    for (int i = 0; i < 100; ++i) script.interim(103);
    script.head(200);
  }
  SECTION("of a status") { script.head(999); }
  SECTION("of lengths") { script.head(200, {{"content-length", "2"}, {"content-length", "3"}}); }
  H2Fixture http2(script.data("{}").end());
  Fetched got;
  if (streamed) {
    HttpTransferOnLoop transfer(http2.loop, http2.to);
    got = read_all(transfer);
  } else {
    got = fetch(http2.loop, http2.to, "{}");
  }
  REQUIRE(got.kind == Chunk::Kind::failed);
  CHECK((got.error->kind == Kind::protocol || got.error->kind == Kind::reset_before_head));
  CHECK(got.body.empty());
}

TEST_CASE("a body of HTTP/2 beyond max_body is too large", "[net][http2][hazard]") {
  H2Fixture http2(H2Script().head(200).data(std::string(600, 'x')).data(std::string(600, 'x')));
  net::EndpointOptions options = http2.to.options();
  options.max_body = 1000;
  const Fetched got = fetch(http2.loop, net::Endpoint(options), "{}");
  REQUIRE(got.kind == Chunk::Kind::failed);
  CHECK(got.error->kind == Kind::too_large);
}
