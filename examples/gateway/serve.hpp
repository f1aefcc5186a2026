/// Runs a gateway from its start to its end.
#pragma once

#include "load.hpp"
#include "options.hpp"

namespace gateway {

/// Serves until SIGTERM or SIGINT, then finishes what is under way; a second signal ends at once.
/// SIGHUP, or another content of the file, makes it read its configuration again; `flags` and
/// `environment` beat the file then as they did before. The process's exit code.
int serve(Options options, const Flags& flags, const Environment& environment);

}  // namespace gateway
