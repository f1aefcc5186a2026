/// The wait of a blocking call.
#pragma once

#include <llmroute/router.hpp>

#include "core.hpp"
#include "interrupt.hpp"

namespace llmroute::python {

/// As Router::route(), until `interrupt` ends it. Lets go of the GIL meanwhile.
///
/// A thread turns a loop of its own and hands nothing over. But of many that wait at once each
/// would be woken for its answer, read it, and sleep again until the GIL is free; so from `crowd`
/// threads on the router's own thread reads the answers, and wakes a thread when only Python is
/// left to do and it is its turn to do it (gil_line.hpp). How a call waits is settled when it
/// begins. Strategies and observers are called on their call's thread: routers that have one in
/// Python stay with the first way, as does everybody where there is no GIL.
Result<Reply> wait_for_reply(Core& core, const Request& request, Interrupt& interrupt);

inline constexpr int crowd = 5;

}  // namespace llmroute::python
