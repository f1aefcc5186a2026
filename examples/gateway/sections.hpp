/// Reads the sections that only the gateway has, and knows the names of all.
#pragma once

#include <llmroute/result.hpp>
#include <string>
#include <vector>

#include "options.hpp"
#include "setting.hpp"

namespace gateway {

/// The names of the sections read here.
std::vector<std::string_view> own_sections();

/// The names of the sections that Config::from_json reads.
std::vector<std::string_view> library_sections();

/// Both.
std::vector<std::string_view> all_sections();

/// Fills `options.server`, `.auth` and `.logging`. An unknown key or a bad value is an
/// invalid_config error with its place and the nearest right one.
llmroute::Result<void> read_sections(const Setting& root, Options& options);

}  // namespace gateway
