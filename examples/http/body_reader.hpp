/// Takes a request's body out of the bytes of a connection, strictly (RFC 9112, section 7).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "fault.hpp"
#include "head_parser.hpp"

namespace http {

struct BodyLimits {
  std::size_t body = 50 << 20;
  std::size_t extension = 256;             ///< of one chunk
  std::size_t all_extensions = 16 * 1024;  ///< of all
  std::size_t trailers = 8 * 1024;
};

/// Fed with whatever comes, in pieces of any size.
class BodyReader {
 public:
  BodyReader(const BodyFraming& framing, const BodyLimits& limits) noexcept
      : chunked_(framing.chunked), left_(framing.chunked ? 0 : framing.length), limits_(limits) {}

  /// Appends to `body` what belongs there. How many bytes were used: all, unless the body ended
  /// before or a fault was found.
  std::size_t take(std::string_view bytes, std::string& body);

  bool done() const noexcept { return chunked_ ? state_ == State::end : left_ == 0; }
  const Fault& fault() const noexcept { return fault_; }

 private:
  /// Which line, or data, of the chunked coding is being read.
  enum class State : std::uint8_t { size, data, data_end, trailer, end };

  std::size_t take_data(std::string_view bytes, std::string& body);
  std::size_t take_line(std::string_view bytes, std::string& body);
  void on_line(std::string& body);
  void on_size_line(std::string& body);
  void on_trailer_line();

  bool chunked_;
  State state_ = State::size;
  std::uint64_t left_;  // of the body, or of the chunk
  BodyLimits limits_;
  std::size_t extensions_ = 0;
  std::size_t trailers_ = 0;
  std::string line_{};  // an unfinished line
  Fault fault_{};
};

}  // namespace http
