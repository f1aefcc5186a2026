/// Runs a gateway from its start to its end.
#pragma once

#include "options.hpp"

namespace gateway {

/// Serves until SIGTERM or SIGINT, then finishes what is under way; a second signal ends at once.
/// The process's exit code.
int serve(Options options);

}  // namespace gateway
