/// Two attempts at once: when the first is late another node is asked as well. The first good
/// answer wins, the other attempt is destroyed, and with it its transfer.
#pragma once

#include <optional>

#include "layers/open_attempt.hpp"
#include "net/task.hpp"
#include "router/call_state.hpp"

namespace llmroute::detail {

/// `last` is what the call goes on with: the winner, or the later of two failures. `before` is the
/// failure before it, if there was one.
struct Raced {
  Opened last{};
  Opened before{};
};

/// Whether the call's next attempt is to be watched, and for how long; none: no hedge for it.
std::optional<Duration> hedge_delay(CallState& call);

/// Asks the node, and after `delay` another one, if a permit, the share and the fleet have one to
/// spare.
net::Task<Raced> race(CallState& call, NodeTicket ticket, Duration first_content_limit,
                      Duration delay);

}  // namespace llmroute::detail
