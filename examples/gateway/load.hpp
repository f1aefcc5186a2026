/// From what the operator wrote to Options: finds the file, lays environment and flags over it, and
/// checks it all.
#pragma once

#include <llmroute/result.hpp>
#include <optional>
#include <string>
#include <vector>

#include "options.hpp"
#include "variables.hpp"

namespace gateway {

/// What the command line said.
struct Flags {
  std::optional<std::string> config{};
  std::optional<std::string> host{};
  std::optional<int> port{};
  bool console = false;
  bool without_nodes = false;  ///< none is needed: for commands that do not serve
  bool reload = false;         ///< look at the file every second
};

/// Looks for the file as find_source does; environment beats file, flag beats environment. Every
/// error is invalid_config, one line that names file and line (or variable), key and the way out.
llmroute::Result<Options> load(const Flags& flags, const Environment& environment);

/// Every mistake that load() would meet, one after the other; empty: it succeeds.
std::vector<llmroute::Error> faults(const Flags& flags, const Environment& environment);

/// load() with `text` for what is in the file at `path`.
llmroute::Result<Options> load_text(const std::string& path, std::string_view text,
                                    const Flags& flags, const Environment& environment);

}  // namespace gateway
