/// What is served at this moment: the file's registry, the store's models, and the router that runs
/// with both. One change at a time, from whichever side.
#pragma once

#include <functional>
#include <llmroute/config.hpp>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "registry.hpp"

namespace gateway {

/// Thread safe. A change that the router refuses leaves all as it was.
class Catalogue {
 public:
  /// Makes the router run with a configuration; what it says of the change, line by line.
  using Run = std::function<llmroute::Result<std::vector<std::string>>(llmroute::Config)>;

  /// The router runs with `registry` and `stored` already.
  Catalogue(Registry registry, std::vector<ModelRecord> stored, Run run);

  /// The file has changed.
  llmroute::Result<std::vector<std::string>> replace_file(llmroute::Config file,
                                                          std::string source);

  /// The store has changed.
  llmroute::Result<std::vector<std::string>> replace_stored(std::vector<ModelRecord> stored);

  /// Whether the router could run with these models of the store. An invalid_argument names the
  /// field of the model at fault.
  llmroute::Result<void> check(std::span<const ModelRecord> stored) const;

  std::shared_ptr<const Registry> registry() const;

 private:
  std::mutex change_mutex_;
  std::vector<ModelRecord> stored_;
  mutable std::mutex mutex_;  // held for a moment only; registry_ changes under both
  std::shared_ptr<const Registry> registry_;
  Run run_;
};

}  // namespace gateway
