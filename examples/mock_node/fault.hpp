/// What a node does wrong on purpose, as a text: `key=value` pairs with commas between them.
///
///     status=503,retry_after=1   answers with that status
///     delay_ms=N                 waits before answering
///     stall=headers              never answers
///     garbage=text|html|error    200 and nonsense, or an error object
///     cut=HOW,bytes=N            after N bytes of the body; fin and rst with 0: before the head
///     cut=HOW,events=N           after N events of a stream
///     cut=HOW,tokens=N           after N tokens of a stream
///     every=N  p=0.3  times=N    only each Nth request, that share of them, the first N
///     only=chat|completion|embedding
///
/// HOW is fin (closes the connection), rst (resets it), end (ends the body), stall (falls silent),
/// error (an error event and [DONE]) or garbage (half an event).
///
/// Shorter names: reset=N (rst after bytes), close=N and close_events=N (fin), stall=content and
/// stall=middle (stall after 0 and 4 tokens), garbage=error-event (error after 0 events).
///
/// Several with semicolons between them are for one request each, in order; an empty one spares it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <llmroute/core/rng.hpp>
#include <llmroute/result.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "question.hpp"

namespace mock {

enum class Cut { none, fin, rst, end, stall, error, garbage };

struct Fault {
  int status = 0;
  int retry_after = -1;
  Cut cut = Cut::none;
  std::optional<std::size_t> bytes{};  ///< of the body, at which it is cut
  std::optional<std::size_t> events{};
  std::size_t tokens = 0;  ///< when neither is given
  bool silent = false;
  std::string garbage{};
  int delay_ms = 0;
  int every = 1;
  double share = 1;
  int times = -1;  ///< -1: for ever
  std::optional<Kind> only{};

  /// An invalid_argument error names what is not understood.
  static llmroute::Result<Fault> parse(std::string_view text);

  bool cuts_head() const noexcept { return (cut == Cut::fin || cut == Cut::rst) && bytes == 0u; }
  bool cuts_at_tokens() const noexcept { return cut != Cut::none && !bytes && !events; }
};

/// Decides for each request which fault strikes.
class FaultPlan {
 public:
  FaultPlan() = default;

  /// One fault for all requests, or several for one request each.
  static llmroute::Result<FaultPlan> parse(std::string_view text, std::uint64_t seed);

  /// The fault, when one strikes this request.
  const Fault* strike(Kind kind);

 private:
  const Fault* strike_in_turn(Kind kind);

  std::vector<Fault> faults_{};
  llmroute::Rng rng_{0};
  int seen_ = 0;
  int struck_ = 0;
};

}  // namespace mock
