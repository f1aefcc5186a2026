/// Reads TOML into settings that know their lines.
#pragma once

#include <llmroute/result.hpp>
#include <string_view>

#include "setting.hpp"

namespace gateway {

/// `file` names the text in messages. A syntax error is an invalid_config error with its line.
llmroute::Result<Setting> read_toml(std::string_view text, std::string_view file);

}  // namespace gateway
