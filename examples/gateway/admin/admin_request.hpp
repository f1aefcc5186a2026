/// A request to the admin API and its answer, as values: what happens between them knows no HTTP.
#pragma once

#include <llmroute/error.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/route_table.hpp"

namespace gateway {

struct AdminRequest {
  Endpoint endpoint{};
  std::vector<std::string> ids{};  ///< the variable parts of the path
  std::string body{};
  std::string who{};  ///< for the audit log
};

struct AdminAnswer {
  int status = 200;
  std::string body{};

  bool good() const noexcept { return status < 300; }
};

// Refusals, each OpenAI's error object.

/// 400 for an invalid_argument, naming the field in `param`; for anything else 503: the store could
/// not do its work.
AdminAnswer refused(const llmroute::Error& error);

/// 404. `kind` is "model", "backend" or "key".
AdminAnswer no_such(std::string_view kind, std::string_view id);

/// 409.
AdminAnswer clash(std::string_view param, std::string_view message);

/// 409 for what only the configuration file, called `source`, can change.
AdminAnswer read_only(std::string_view name, std::string_view source);

}  // namespace gateway
