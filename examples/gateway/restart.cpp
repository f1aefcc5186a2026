/// Compares section by section.
#include "restart.hpp"

namespace gateway {

std::vector<std::string> needs_restart(const Options& running, const Options& next) {
  std::vector<std::string> names;
  const auto note = [&](bool same, const char* name) {
    if (!same) names.emplace_back(name);
  };
  note(running.server == next.server, "server");
  note(running.auth.keys == next.auth.keys, "auth.keys");
  note(running.auth.admin_key == next.auth.admin_key, "auth.admin_key");
  note(running.store == next.store, "store");
  note(running.logging == next.logging, "logging");
  return names;
}

}  // namespace gateway
