/// A response head as it arrives, line by line, and what libcurl 7.88 lets pass that must not: two
/// lengths, a length beside a transfer coding, a status out of range, stray CR or NUL, heads
/// without end, floods of interim responses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <llmroute/headers.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace llmroute::net {

class ResponseHead {
 public:
  static constexpr std::size_t max_bytes = std::size_t{64}
                                           << 10;  ///< interim heads and trailers included
  static constexpr int max_lines = 200;
  static constexpr int max_interim = 16;

  /// One line with its end, as libcurl hands it over: status line, fields, the blank line; then
  /// trailers. Returns what is wrong with it, or null.
  const char* add(std::string_view line);

  /// Something has come.
  bool begun() const noexcept { return bytes_ > 0; }

  /// The final head's blank line has been seen.
  bool complete() const noexcept { return complete_; }

  /// Of the final head once complete, else 0.
  int status() const noexcept { return complete_ ? status_ : 0; }

  /// Of the body, where the head says so.
  std::optional<std::uint64_t> content_length() const noexcept { return length_; }

  /// The end of the body is marked, so that the connection outlives it.
  bool framed() const noexcept { return length_.has_value() || chunked_ || http_2_; }

  /// Of the head that came last; the rest of it may still be on its way.
  bool http_2() const noexcept { return http_2_; }

  /// The final head's fields in order.
  Headers fields() const;

 private:
  const char* begin(std::string_view line);
  const char* field(std::string_view line);
  const char* end_of_head();

  std::string raw_;  // the current head's field lines, each with its LF
  std::size_t bytes_ = 0;
  int lines_ = 0;
  int interim_ = 0;
  int status_ = 0;
  bool in_head_ = false;
  bool complete_ = false;
  bool chunked_ = false;
  bool http_2_ = false;
  std::optional<std::uint64_t> length_{};
};

}  // namespace llmroute::net
