/// `llmroute-gateway check-config`: what was understood of a configuration, or everything that is
/// wrong with it.
#pragma once

#include <string>

#include "load.hpp"

namespace gateway {

/// What was understood, line by line. Nothing of a key, token or password is in it.
std::string description_of(const Options& options);

/// Prints it, or each mistake on a line of its own to standard error. The exit code: 0 or 2.
int check_config(const Flags& flags, const Environment& environment);

}  // namespace gateway
