/// A node that speaks HTTP/2 over TLS, and does with each stream what a test tells it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "support/h2_script.hpp"
#include "support/scripted_upstream.hpp"

namespace llmroute::test {

/// Any thread. Destroying it ends what still runs.
class H2Upstream {
 public:
  using Handler = std::function<H2Script(const SeenRequest&)>;  // on the connection's thread

  H2Upstream(Handler handler, const TlsIdentity& identity);
  ~H2Upstream();
  H2Upstream(const H2Upstream&) = delete;
  H2Upstream& operator=(const H2Upstream&) = delete;

  std::string url(const std::string& path = "") const;  ///< "https://127.0.0.1:port" and `path`

  std::vector<SeenRequest> requests() const;
  int request_count() const;
  int connections() const;      ///< accepted so far
  std::string offered() const;  ///< the last client's protocols: "h2 http/1.1"
  std::size_t bytes_sent() const;

  /// Waits until so many connections are closed; false when that does not happen.
  bool wait_for_closed(int connections) const;

  /// Waits until nothing was sent for 100 ms: the peer does not read.
  std::size_t wait_until_stuck() const;

  /// Ends every connection, whatever it is doing, and waits until they are.
  void drop_connections();

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace llmroute::test
