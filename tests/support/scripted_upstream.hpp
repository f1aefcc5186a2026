/// A node that does what a test tells it: a server on 127.0.0.1 with raw sockets, so that it can
/// also do what no proper server does. Each request is answered by a Script; what was seen is kept,
/// and can be waited for.
///
///     ScriptedUpstream node([](const SeenRequest&) { return answer(200, "{}"); });
///     ScriptedUpstream node(std::vector{answer(503, "{}"), answer(200, "{}")});   // in order, the
///     last one for ever
///     ... node.url() ...
///     CHECK(node.wait_for_requests(1));
///     CHECK(node.wait_for_gone(1));       // the peer left before the script was over
#pragma once

#include <chrono>
#include <functional>
#include <llmroute/headers.hpp>
#include <memory>
#include <string>
#include <vector>

#include "support/script.hpp"

namespace llmroute::test {

class TlsIdentity;

/// A request as it arrived.
struct SeenRequest {
  std::string method{};
  std::string target{};
  std::string head{};  ///< request line and fields, as bytes
  Headers headers{};
  std::string body{};
  int connection = 0;  ///< 1 for the first one accepted
  int number = 0;      ///< 1 for the first request of all
};

/// What becomes of a connection before any request is read.
enum class Greeting {
  serve,
  reset,      ///< an RST at once
  silence,    ///< nothing, until the peer goes; with an https URL a handshake that hangs
  plain_http  ///< an answer in clear to whatever the peer may say
};

/// Any thread. Destroying it ends what still runs.
class ScriptedUpstream {
 public:
  using Handler = std::function<Script(const SeenRequest&)>;  // called on the connection's thread
  static constexpr std::chrono::seconds patience{20};

  explicit ScriptedUpstream(Handler handler, const TlsIdentity* tls = nullptr);
  explicit ScriptedUpstream(std::vector<Script> scripts);
  explicit ScriptedUpstream(Script script) : ScriptedUpstream(std::vector{std::move(script)}) {}
  ~ScriptedUpstream();
  ScriptedUpstream(const ScriptedUpstream&) = delete;
  ScriptedUpstream& operator=(const ScriptedUpstream&) = delete;

  /// "http://127.0.0.1:port" and `path`.
  std::string url(const std::string& path = "") const;
  int port() const noexcept;

  std::vector<SeenRequest> requests() const;
  int request_count() const;
  int connections() const;   ///< accepted so far
  int gone() const;          ///< requests whose peer left before their script was over
  int most_at_once() const;  ///< requests under way together; one ends with its script's last step
  std::size_t bytes_sent() const;

  /// Each waits until the count is reached; false when that does not happen.
  bool wait_for_requests(int count, std::chrono::milliseconds most = patience) const;
  bool wait_for_gone(int count, std::chrono::milliseconds most = patience) const;
  bool wait_for_closed(int connections, std::chrono::milliseconds most = patience) const;

  /// Waits until a script blocks on a peer that does not read: nothing was sent for 100 ms. The
  /// only wait on time here, as the absence of progress has no other sign.
  std::size_t wait_until_stuck() const;

  /// Waits for scripts under way to end, then closes every connection, as a node does that
  /// restarts.
  void close_idle();

  /// Accepts no more: connecting is refused.
  void stop_listening();

  /// The same for a while, as a node does that restarts: the port stays taken, calls go on.
  void refuse();
  void listen_again();

  /// For connections from now on.
  void greet(Greeting greeting);

  /// Ends every connection, whatever it is doing.
  void drop_connections();

  /// Waits until nobody is being served: every connection is closed, or kept for a next request.
  bool wait_until_quiet(std::chrono::milliseconds most = patience) const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

/// A port of 127.0.0.1 on which nobody listens.
int refused_port();

}  // namespace llmroute::test
