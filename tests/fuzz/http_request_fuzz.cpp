// A request as the gateway's server reads it: the same, or refused for the same reason, whatever
// the pieces it comes in.
#include <string>

#include "fuzz/fuzz.hpp"
#include "http/body_reader.hpp"
#include "http/head_parser.hpp"

using namespace llmroute::fuzz;

namespace {

constexpr http::HeadLimits head_limits{.head = 512, .fields = 8, .target = 64};
constexpr http::BodyLimits body_limits{
    .body = 256, .extension = 16, .all_extensions = 64, .trailers = 64};

/// Reads one request out of what it is fed.
class Reader {
 public:
  void feed(std::string_view bytes) {
    if (status_ != 0 || done_) return;
    if (head_read_) return feed_body(bytes);
    received_ += bytes;
    const std::size_t length = scanner_.scan(received_);
    if (scanner_.fault()) return fail(scanner_.fault());
    if (length != 0) take_head(length);
  }

  /// Status of the refusal, target and body of the request, whether it is whole.
  std::string outcome() const {
    return std::to_string(status_) + " " + std::string(request_.method()) + " " +
           std::string(request_.target()) + " " + std::to_string(request_.size()) + " " +
           request_.body + (done_ ? " whole" : " open");
  }

 private:
  void take_head(std::size_t length) {
    const std::string rest = received_.substr(length);
    http::HeadParser parser(head_limits);
    const http::Fault fault = parser.read(received_.substr(0, length), request_);
    if (fault) return fail(fault);
    head_read_ = true;
    body_ = http::BodyReader(parser.framing(), body_limits);
    feed_body(rest);
  }

  void feed_body(std::string_view bytes) {
    const std::size_t used = body_.take(bytes, request_.body);
    require(used <= bytes.size(), "no byte is used twice");
    if (body_.fault()) return fail(body_.fault());
    done_ = body_.done();
    require(done_ || used == bytes.size(), "all is used while the body is open");
  }

  void fail(const http::Fault& fault) {
    require(fault.status >= 400 && fault.status <= 599, "a refusal is an error");
    status_ = fault.status;
    request_ = {};
  }

  http::HeadScanner scanner_{head_limits};
  http::BodyReader body_{{}, body_limits};
  http::Request request_{};
  std::string received_{};
  bool head_read_ = false;
  bool done_ = false;
  int status_ = 0;
};

}  // namespace

LLMROUTE_FUZZ_TARGET(http_request) {
  const Pieces pieces(input);
  Reader whole;
  whole.feed(pieces.text());
  Reader cut;
  pieces.each([&](std::string_view piece) { cut.feed(piece); });
  require(whole.outcome() == cut.outcome(), "the same request whatever the pieces");
}
