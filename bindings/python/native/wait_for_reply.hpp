/// The wait of a blocking call.
#pragma once

#include <llmroute/router.hpp>

#include "core.hpp"
#include "interrupt.hpp"

namespace llmroute::python {

/// As Router::route(), until `interrupt` ends it. Without the GIL.
///
/// A thread alone turns a loop of its own and hands nothing over. Of several that wait at once,
/// each would be woken for its answer, read it, and sleep again until the GIL is free; there the
/// router's own thread reads all answers, and wakes a thread when it has nothing left to do but
/// Python (docs/performance.md). Strategies and observers are still called on their call's thread:
/// routers that have one in Python wait in the first way only, as all do where there is no GIL.
Result<Reply> wait_for_reply(Core& core, const Request& request, Interrupt& interrupt);

}  // namespace llmroute::python
