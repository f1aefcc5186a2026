/// What an HTTP/2 upstream does with one stream, step by step.
///
///     h2_answer(200, R"({"ok":true})")                            a plain response
///     H2Script().head(200).data(sse("a")).wait(gate).reset(2)     RST_STREAM within the body
///     H2Script().goaway(0, false)                                 GOAWAY that leaves this one out
#pragma once

#include <cstdint>
#include <llmroute/headers.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "support/gate.hpp"

namespace llmroute::test {

/// Steps wait until what earlier ones sent is out; after the last the stream stays as it is.
class H2Script {
 public:
  struct Step {
    enum class Kind { interim, head, data, end, wait, reset, goaway, close };
    Kind kind = Kind::data;
    std::uint32_t code = 0;  ///< a status, or an HTTP/2 error code
    bool served = true;      ///< goaway: this stream is still answered
    std::string bytes{};
    Headers fields{};
    Gate gate{};
  };

  H2Script& interim(int status);
  H2Script& head(int status, Headers fields = {});
  H2Script& data(std::string bytes);
  H2Script& end();
  H2Script& wait(const Gate& gate);
  H2Script& reset(std::uint32_t code);                ///< RST_STREAM
  H2Script& goaway(std::uint32_t code, bool served);  ///< names this stream, or one before it
  H2Script& close();                                  ///< the connection, with a FIN

  const std::vector<Step>& steps() const noexcept { return steps_; }

 private:
  std::vector<Step> steps_{};
};

/// A whole response.
H2Script h2_answer(int status, std::string body, Headers fields = {});

/// 200 text/event-stream, one DATA frame an event, left open.
H2Script h2_events(const std::vector<std::string>& events);

}  // namespace llmroute::test
