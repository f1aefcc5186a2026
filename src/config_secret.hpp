/// Values of a configuration that may be secrets: taken from the environment or from files,
/// checked, and never shown in what is said about them.
#pragma once

#include <llmroute/core/node_config.hpp>
#include <string>
#include <string_view>

#include "config_section.hpp"

namespace llmroute::detail {

/// Whether a text holds what would end a line early, or the like.
bool has_control(std::string_view text);

/// Replaces every ${NAME} by the environment's value. `key` is the place that faults are noted at.
void expand(std::string& text, const std::string& key, ConfigFault& fault);

/// api_key, api_keys and api_key_file of the node at `path`. What the file holds becomes api_key.
void prepare_keys(NodeConfig& node, const std::string& path, ConfigFault& fault);

}  // namespace llmroute::detail
