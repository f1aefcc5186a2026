/// Refusals and the audit log.
#include "desk.hpp"

#include <llmroute/wire/error_body.hpp>
#include <utility>

#include "gateway/unique.hpp"

namespace gateway {

AdminAnswer refuse(const AdminDesk& desk, const llmroute::Error& error) {
  if (error.code != llmroute::ErrorCode::invalid_argument) {
    desk.log.line(LogLevel::error, "store").add("error", error.message);
  }
  return refused(error);
}

llmroute::Result<void> note(const AdminDesk& desk, std::string_view who, AdminChange change) {
  const auto masked = [](const std::optional<std::string>& json) {
    return json ? std::optional(llmroute::wire::redacted(*json)) : std::nullopt;
  };
  return desk.store.note({.id = make_uuid(),
                          .at = now_timestamp(),
                          .who = std::string(who),
                          .action = std::string(change.action),
                          .subject = std::move(change.subject),
                          .before = masked(change.before),
                          .after = masked(change.after)});
}

}  // namespace gateway
