/// What of a configuration cannot change while the gateway runs.
#pragma once

#include <string>
#include <vector>

#include "options.hpp"

namespace gateway {

/// The names of the gateway's own sections and keys that differ and take effect by a restart only.
std::vector<std::string> needs_restart(const Options& running, const Options& next);

}  // namespace gateway
