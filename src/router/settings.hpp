/// One configuration as calls use it. Immutable; it goes with the nodes and models of its time in
/// every snapshot of the pool, so that a call that holds its snapshot has all of one kind.
#pragma once

#include <cstdint>
#include <llmroute/config.hpp>
#include <llmroute/core/pool_snapshot.hpp>
#include <llmroute/core/strategy.hpp>
#include <llmroute/wire/add_fields.hpp>
#include <llmroute/wire/reasoning.hpp>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace llmroute::detail {

/// An alias: its configuration, read once.
struct ModelSettings {
  const ModelConfig* config = nullptr;   ///< in the same Settings
  std::shared_ptr<Strategy> strategy{};  ///< null: the router's
  std::vector<wire::Field> defaults{};
  wire::Reasoning reasoning{};

  /// Whether a request for it is not sent as it came, beside its model's name.
  bool shapes_requests() const noexcept {
    return !defaults.empty() || !config->transforms.system_prompt_prefix.empty();
  }
};

struct Settings {
  /// `prepared`: Config::prepare has passed. Strategies of `before` that are still the same go on
  /// where they are.
  Settings(Config prepared, const Settings* before);
  Settings(const Settings&) = delete;
  Settings& operator=(const Settings&) = delete;

  /// The alias of that name that is active, or null.
  const ModelSettings* model(std::string_view name) const noexcept;

  const Config config;
  const std::uint64_t number;  ///< 1, 2, ... of one router's
  std::shared_ptr<Strategy> strategy;
  std::map<std::string_view, ModelSettings> models;
};

/// The settings that a router's pool had when the snapshot was made.
inline const Settings& settings_of(const PoolSnapshot& snapshot) noexcept {
  return *static_cast<const Settings*>(snapshot.attachment().get());
}

/// What only a router made anew can take over is set back to what runs; the result names it, by
/// section or by key.
std::vector<std::string> keep_until_next_start(const Config& running, Config& fresh);

}  // namespace llmroute::detail
