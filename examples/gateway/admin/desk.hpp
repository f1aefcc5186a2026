/// What an admin action has at hand. Actions run on the store's thread, those that write inside a
/// transaction that ends well only with a good answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "admin_request.hpp"
#include "gateway/log.hpp"
#include "gateway/registry.hpp"
#include "gateway/store/store.hpp"

namespace gateway {

struct AdminDesk {
  Store& store;
  const Registry& registry;  ///< of the configuration file
  const Log& log;
};

/// The answer for an error; one of the store's goes to the log in full.
AdminAnswer refuse(const AdminDesk& desk, const llmroute::Error& error);

/// Notes in the audit log what became of a subject, as the admin API shows it; key-shaped texts are
/// masked.
struct AdminChange {
  std::string_view action;
  std::string subject;
  std::optional<std::string> before{};
  std::optional<std::string> after{};
};
llmroute::Result<void> note(const AdminDesk& desk, std::string_view who, AdminChange change);

}  // namespace gateway
