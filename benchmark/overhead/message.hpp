/// The least HTTP/1.1 that cuts requests and answers out of bytes. No limits, no leniency: both
/// ends are ours.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace bench {

struct Message {
  std::string_view head;
  std::string_view body;    ///< of a Content-Length message
  bool chunked = false;     ///< the body comes after `length`
  std::size_t length = 0;   ///< bytes taken from the input
};

/// The first message of `in`; none while bytes are missing.
std::optional<Message> first_message(std::string_view in);

/// Walks the chunks of a chunked body as they come.
class ChunkReader {
 public:
  /// Calls nothing and copies nothing: counts. Returns the bytes taken from `in`.
  std::size_t take(std::string_view in);

  bool done() const noexcept { return done_; }
  long chunks() const noexcept { return chunks_; }

 private:
  long chunks_ = 0;
  bool done_ = false;
};

}  // namespace bench
