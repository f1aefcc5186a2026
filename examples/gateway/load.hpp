/// From what the operator wrote to Options: finds the file, lays environment and flags over it, and
/// checks it all.
#pragma once

#include <llmroute/result.hpp>
#include <optional>
#include <string>

#include "options.hpp"
#include "variables.hpp"

namespace gateway {

/// What the command line said.
struct Flags {
  std::optional<std::string> config{};
  std::optional<std::string> host{};
  std::optional<int> port{};
  bool console = false;
};

/// Looks for the file in the order --config, CONFIG_PATH, llmroute.toml, .env; environment beats
/// file, flag beats environment. Every error is invalid_config, one line that names file and line
/// (or variable), key and the way out.
llmroute::Result<Options> load(const Flags& flags, const Environment& environment);

}  // namespace gateway
