/// What a node does wrong on purpose, as a text: `key=value` pairs with commas between them.
///
///     status=503,retry_after=1      answers with that status
///     reset=N  close=N              breaks the connection after N bytes of the body (0: before the
///     head) close_events=N                breaks a stream after N events
///     stall=headers|content|middle  falls silent before the head, before the first text, in
///     mid-stream garbage=text|html|error|error-event    200 and nonsense; an error object; an
///     error as a stream's first event delay_ms=N                    waits before answering every=N
///     p=0.3  times=N       only each Nth request, that share of them, the first N
#pragma once

#include <cstddef>
#include <llmroute/core/rng.hpp>
#include <llmroute/result.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace mock {

struct Fault {
  int status = 0;
  int retry_after = -1;
  std::optional<std::size_t> break_after{};  ///< bytes of the body
  std::optional<std::size_t> break_after_events{};
  std::string stall{};
  std::string garbage{};
  int delay_ms = 0;
  int every = 1;
  double share = 1;
  int times = -1;  ///< -1: for ever

  /// An invalid_argument error names what is not understood.
  static llmroute::Result<Fault> parse(std::string_view text);
};

/// Decides for each request whether the fault strikes.
class FaultPlan {
 public:
  FaultPlan() = default;
  FaultPlan(Fault fault, std::uint64_t seed) : fault_(std::move(fault)), rng_(seed) {}

  /// The fault, when it strikes this request.
  const Fault* strike();

 private:
  std::optional<Fault> fault_{};
  llmroute::Rng rng_{0};
  int seen_ = 0;
  int struck_ = 0;
};

}  // namespace mock
