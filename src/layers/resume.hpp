/// The ladder a stream climbs when its node dies after the first content: token ids, the whole
/// answer again, the text so far as the answer's beginning. What comes out equals the uncut stream
/// (with best_effort: could have been it), or is an error.
#pragma once

#include <cstdint>
#include <optional>

#include "layers/open_attempt.hpp"
#include "net/task.hpp"
#include "router/call_state.hpp"

namespace llmroute::detail {

/// One call's. Rungs that have failed are not tried again.
class Ladder {
 public:
  /// Whether what was delivered can be gone on with at all.
  bool possible(CallState& call) const;

  /// How to ask this node to go on; none when it cannot. May ask it for its context length.
  net::Task<std::optional<Asking>> asking(CallState& call, const NodeTicket& ticket);

  /// The rung did not lead on: another answer, or a request that is not taken.
  void give_up(Rung rung) noexcept;

  /// The stream broke behind its last token: nothing is left to ask for but the end itself, and
  /// that is known.
  static bool only_end_missing(const CallState& call);

  /// Tells the caller that end.
  static net::Task<Result<Reply>> end_by_length(CallState& call);

 private:
  bool ids_possible(CallState& call, const NodeConfig& node) const;
  bool prefill_possible(CallState& call) const;

  bool ids_left_ = true;
  bool replay_left_ = true;
  bool prefill_left_ = true;
};

}  // namespace llmroute::detail
