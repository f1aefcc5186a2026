/// What is served: the entries of the configuration file, and beside them those of the store. Where
/// both have a model of one name the file's counts.
#pragma once

#include <llmroute/config.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/records.hpp"

namespace gateway {

/// The configuration file's part, immutable.
class Registry {
 public:
  /// `source` names the file.
  Registry(llmroute::Config file, std::string source);

  /// The router's configuration with these models beside the file's. A backend's URL is a node: one
  /// that the file has already, or one of that name; its weight counts for the model alone. A model
  /// without any backend is for every node that serves it, as in the file; one whose backends are
  /// all inactive is inactive.
  llmroute::Config with(std::span<const ModelRecord> stored) const;

  /// The file's models as the admin API shows them, with ids that stay the same.
  const std::vector<ModelRecord>& models() const noexcept { return models_; }
  const ModelRecord* find(std::string_view name) const noexcept;
  const ModelRecord* find_id(std::string_view id) const noexcept;

  const std::string& source() const noexcept { return source_; }

 private:
  llmroute::Config file_;
  std::string source_;
  std::vector<ModelRecord> models_;
};

}  // namespace gateway
