/// The least HTTP/1.1 that cuts requests and answers out of bytes. No limits, no leniency: both
/// ends are ours.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace bench {

struct Message {
  std::string_view head;
  std::string_view body;   ///< of a Content-Length message
  bool chunked = false;    ///< the body comes after `length`
  std::size_t length = 0;  ///< bytes taken from the input
};

/// The first message of `in`; none while bytes are missing.
std::optional<Message> first_message(std::string_view in);

/// A chunked body, as it comes.
class ChunkReader {
 public:
  /// Appends what the whole chunks at the front of `in` hold; the bytes taken from `in`.
  std::size_t take(std::string_view in, std::string& body);

  bool done() const noexcept { return done_; }

 private:
  bool done_ = false;
};

}  // namespace bench
