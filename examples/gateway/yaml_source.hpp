/// Reads YAML into settings that know their lines.
#pragma once

#include <functional>
#include <llmroute/result.hpp>
#include <string>
#include <string_view>

#include "setting.hpp"

namespace gateway {

/// What becomes of a scalar's text before it is looked at: `${VAR}` put in, say. `key` is where it
/// stands ("server.port"). An error's message is given its place.
using Expand = std::function<llmroute::Result<std::string>(std::string_view key, std::string text)>;

/// `file` names the text in messages. Anything but one table of keys, a key given twice, a tag that
/// is not of the core schema, and aliases that would make much of little are invalid_config errors
/// with their line. A key without a value counts as not there. JSON is read too: it is YAML.
llmroute::Result<Setting> read_yaml(std::string_view text, std::string_view file,
                                    const Expand& expand = {});

}  // namespace gateway
