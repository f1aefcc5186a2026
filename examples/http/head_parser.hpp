/// Reads the head of a request, strictly (RFC 9112): whatever two recipients could read in two ways
/// is refused, for a request that is smuggled past one of them reaches the other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fault.hpp"
#include "message.hpp"

namespace http {

struct HeadLimits {
  std::size_t head = 32 * 1024;
  std::size_t fields = 100;
  std::size_t target = 8 * 1024;
};

/// How the body is delimited.
struct BodyFraming {
  bool chunked = false;
  std::uint64_t length = 0;  ///< of a body that is not chunked
  bool expect_continue = false;
  bool any() const noexcept { return chunked || length > 0; }
};

/// Finds the end of a head in bytes that come in pieces, and refuses early what can become none.
class HeadScanner {
 public:
  explicit HeadScanner(const HeadLimits& limits) noexcept : limits_(limits) {}

  /// Looks at what is new in `bytes`, all that came since the request began. The length of the head
  /// with its blank line, or 0 while it is not complete.
  std::size_t scan(std::string_view bytes);

  const Fault& fault() const noexcept { return fault_; }
  void reset() noexcept { *this = HeadScanner(limits_); }

 private:
  HeadLimits limits_;
  std::size_t seen_ = 0;
  std::size_t line_ = 0;  // where the current line begins
  Fault fault_{};
};

/// Reads one complete head. Construct, call read() once, take the results.
class HeadParser {
 public:
  explicit HeadParser(const HeadLimits& limits) noexcept : limits_(limits) {}

  /// `head` ends with its blank line and holds no line end other than CR LF.
  Fault read(std::string head, Request& request);

  const BodyFraming& framing() const noexcept { return framing_; }

 private:
  Fault read_request_line(std::string_view line);
  Fault read_version(std::string_view version);
  Fault read_target(std::string_view target);
  Fault read_field(std::string_view line);
  Fault take_field(std::string_view name, std::string_view value);
  Fault take_length(std::string_view value);
  Fault take_coding(std::string_view value);
  void take_connection(std::string_view value);
  Fault check_whole() const;
  Request::Place place(std::string_view part) const noexcept;

  HeadLimits limits_;
  Request* request_ = nullptr;
  BodyFraming framing_{};
  int hosts_ = 0;
  int lengths_ = 0;
  int codings_ = 0;
  bool says_close_ = false;
  bool says_keep_alive_ = false;
};

/// The parts of a field line "name: value"; none when it is not one. Also what trailers are made
/// of.
std::optional<Field> split_field(std::string_view line) noexcept;

}  // namespace http
