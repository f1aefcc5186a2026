/// The schema of the store, as the steps that lead to it. Each can be undone.
#pragma once

#include <optional>
#include <span>

#include "database.hpp"
#include "gateway/timestamp.hpp"

namespace gateway {

struct Migration {
  int version;
  std::string_view name;
  std::span<const std::string_view> up;
  std::span<const std::string_view> down;
};

/// In the order of their versions, 1, 2, 3, ...
std::span<const Migration> migrations() noexcept;

/// Where a database stands.
struct MigrationState {
  int version = 0;
  std::string name{};
  std::optional<Timestamp> applied_at{};  ///< none: it is still to come
};

/// One for each migration. A database of a later program is an invalid_config error.
llmroute::Result<std::vector<MigrationState>> migration_states(Database& database);

/// Does what is still to be done; how many steps that was. Each is whole or not at all.
llmroute::Result<int> migrate_up(Database& database);

/// Undoes the last step, with all that its tables hold; its version, or 0 when there is none.
llmroute::Result<int> migrate_down(Database& database);

}  // namespace gateway
