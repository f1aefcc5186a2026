/// What the tests of transfers share: short ways to make a request and look at what came of it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_transfer.hpp"
#include "support/run_task.hpp"
#include "support/scripted_upstream.hpp"

namespace llmroute::test {

/// How a whole transfer ended.
struct Fetched {
  net::Chunk::Kind kind{};
  int status = 0;
  Headers headers{};
  std::string body{};
  std::optional<net::TransferError> error{};
};

inline net::Endpoint endpoint(const ScriptedUpstream& node) {
  return net::Endpoint({.url = node.url("/v1/chat/completions")});
}

inline net::Task<Fetched> fetching(net::Loop& loop, const net::Endpoint& to, std::string_view body,
                                   std::span<const Header> extra, Time deadline = never) {
  net::HttpTransfer transfer(loop, to, body, extra, net::HttpTransfer::Mode::whole);
  const net::Chunk chunk = co_await transfer.read(deadline);
  Fetched fetched;
  fetched.kind = chunk.kind;
  fetched.status = transfer.status();
  fetched.headers = transfer.headers();
  if (chunk.kind == net::Chunk::Kind::failed) fetched.error = transfer.error();
  fetched.body = transfer.take_body();
  co_return fetched;
}

inline Fetched fetch(net::Loop& loop, const net::Endpoint& to, std::string_view body,
                     std::span<const Header> extra = {}, Time deadline = never) {
  return run(loop, fetching(loop, to, body, extra, deadline));
}

/// A streamed transfer read step by step from outside of coroutines.
class HttpTransferOnLoop {
 public:
  HttpTransferOnLoop(net::Loop& loop, const net::Endpoint& to, std::string_view body = "{}")
      : loop_(loop) {
    loop.inside([&] {
      transfer_.emplace(loop, to, body, std::span<const Header>{},
                        net::HttpTransfer::Mode::streamed);
    });
  }

  net::Chunk next(Time deadline = never) { return run(loop_, reading(*transfer_, deadline)); }
  net::HttpTransfer* operator->() { return &*transfer_; }
  net::HttpTransfer& operator*() { return *transfer_; }
  void end() { transfer_.reset(); }

 private:
  static net::Task<net::Chunk> reading(net::HttpTransfer& transfer, Time deadline) {
    const net::Chunk chunk = co_await transfer.read(deadline);
    co_return chunk;
  }

  net::Loop& loop_;
  std::optional<net::HttpTransfer> transfer_;
};

/// Reads a stream up to its [DONE] and leaves it there.
inline void read_to_done(net::Loop& loop, const net::Endpoint& to) {
  HttpTransferOnLoop transfer(loop, to);
  std::string body;
  while (body.find("[DONE]") == body.npos) {
    const net::Chunk chunk = transfer.next();
    REQUIRE((chunk.kind == net::Chunk::Kind::head || chunk.kind == net::Chunk::Kind::data));
    body.append(chunk.bytes);
  }
  transfer->finish_early();
}

}  // namespace llmroute::test
