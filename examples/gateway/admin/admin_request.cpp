/// The refusals.
#include "admin_request.hpp"

#include <fmt/format.h>

#include <llmroute/wire/error_body.hpp>

namespace gateway {

using llmroute::wire::error_json;

/// What the engine said may name paths of the machine: it is for the log.
AdminAnswer refused(const llmroute::Error& error) {
  if (error.code == llmroute::ErrorCode::invalid_argument) {
    return {
        .status = 400,
        .body = error_json(error.message, "invalid_request_error", error.param, "invalid_request")};
  }
  return {.status = 503,
          .body = error_json("the store cannot be used now; nothing was changed", "server_error",
                             "", "store_unavailable")};
}

AdminAnswer no_such(std::string_view kind, std::string_view id) {
  return {.status = 404,
          .body = error_json(fmt::format("there is no {} \"{}\"", kind, id), "not_found_error",
                             "id", "not_found")};
}

AdminAnswer clash(std::string_view param, std::string_view message) {
  return {.status = 409, .body = error_json(message, "invalid_request_error", param, "conflict")};
}

AdminAnswer read_only(std::string_view name, std::string_view source) {
  return clash("id", fmt::format("model \"{}\" comes from {}: change it there", name, source));
}

}  // namespace gateway
