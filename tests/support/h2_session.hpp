/// The server's end of one HTTP/2 connection: libnghttp2 frames, the scripts say what.
#pragma once

#include <poll.h>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "support/h2_script.hpp"
#include "support/scripted_upstream.hpp"

typedef struct ssl_st SSL;
struct nghttp2_session;

namespace llmroute::test {

/// What a session tells and asks of its upstream; called on the session's thread.
struct H2Events {
  std::function<H2Script(SeenRequest)> on_request{};
  std::function<void(std::size_t bytes)> on_sent{};
};

class H2Session {
 public:
  /// `ssl` is connected, and non-blocking from here on.
  H2Session(SSL* ssl, const H2Events& events);
  ~H2Session();
  H2Session(const H2Session&) = delete;
  H2Session& operator=(const H2Session&) = delete;

  /// Serves until the peer is gone, or `stop` is open.
  void run(const Gate& stop);

 private:
  struct Stream {
    SeenRequest request{};
    H2Script script{};
    std::size_t step = 0;
    std::string pending{};  // of the body, from `taken` on
    std::size_t taken = 0;
    bool ended = false;
    bool asked = false;  // the request is whole
  };
  struct Callbacks;

  bool receive();
  bool send();
  void fill_out();
  bool advance();
  bool advance(int id, Stream& stream);
  bool play(int id, Stream& stream, const H2Script::Step& step);
  void submit_head(int id, const H2Script::Step& step);
  void wait(const Gate& stop);

  SSL* ssl_;
  int fd_;
  const H2Events& events_;
  nghttp2_session* session_ = nullptr;
  std::map<int, Stream> streams_;
  std::string out_;
  bool half_closed_ = false;
  bool over_ = false;
};

}  // namespace llmroute::test
