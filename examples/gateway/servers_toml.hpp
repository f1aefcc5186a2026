/// The form of servers.toml: [servers] with a list of URLs, [config] with flat keys.
#pragma once

#include <llmroute/result.hpp>

#include "setting.hpp"

namespace gateway {

bool is_servers_toml(const Setting& document);

/// Our own tree, with that product's documented defaults where keys are left out.
llmroute::Result<Setting> from_servers_toml(Setting document);

}  // namespace gateway
