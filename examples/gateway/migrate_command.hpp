/// `llmroute-gateway migrate up|down|status`.
#pragma once

#include <string>

#include "options.hpp"

namespace gateway {

/// Brings the store's schema up to date, undoes its last step, or says where it stands, on standard
/// output. `up` and `down` want the store for themselves. The exit code: 0, or 1 with the reason on
/// standard error.
int migrate_command(const Options& options, const std::string& what);

}  // namespace gateway
