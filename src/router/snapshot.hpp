/// The router's knowledge in the form callers read.
#pragma once

#include <llmroute/router.hpp>

namespace llmroute::detail {

class RouterCore;

Snapshot take_snapshot(RouterCore& core);

}  // namespace llmroute::detail
