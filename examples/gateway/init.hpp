/// `llmroute-gateway init`: writes a configuration to begin with.
#pragma once

#include <llmroute/result.hpp>
#include <string>
#include <string_view>

namespace gateway {

/// A commented llmroute.toml: samples/llmroute.toml, built in.
std::string_view sample_configuration();

/// Writes it to `path`. A file that is there already is an error, unless `force`.
llmroute::Result<void> write_sample(const std::string& path, bool force);

/// The same for the command line; the exit code: 0, or 1 when the file could not be written.
int init(const std::string& path, bool force);

}  // namespace gateway
