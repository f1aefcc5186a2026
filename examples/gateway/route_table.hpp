/// What the gateway answers, as one table: method, path, and who may ask. Deny by default: a row
/// has to say that it is open.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gateway {

enum class Access : std::uint8_t { token, open, admin };

/// What a row leads to.
enum class Endpoint : std::uint8_t {
  inference,
  relay,  ///< what a model answers with no JSON, or is asked with none: to the first node that has
          ///< it
  models,
  model,
  service,
  health,
  alive,
  ready,
  version,
  stats,
  load_stats,
  metrics,
  ui,
  list_models,
  create_model,
  read_model,
  change_model,
  delete_model,
  add_backend,
  change_backend,
  delete_backend,
  list_keys,
  create_key,
  read_key,
  change_key,
  revoke_key
};

/// Whether a node is asked.
constexpr bool is_routed(Endpoint endpoint) noexcept {
  return endpoint == Endpoint::inference || endpoint == Endpoint::relay;
}

struct Route {
  std::string_view method;
  std::string_view path;  ///< one that ends in "/..." takes whatever follows the slash; "{id}" is
                          ///< any one segment
  Access access;
  Endpoint endpoint;
};

std::span<const Route> routes() noexcept;

/// The row for a request, or the methods that its path has; both empty: there is no such path.
/// `path` without a query.
struct Match {
  const Route* route = nullptr;
  std::string allowed{};          ///< "GET, POST": for a 405
  Access access = Access::token;  ///< of the path
};

Match find_route(std::string_view method, std::string_view path);

/// What follows the slash of a row that ends in "/...", percent-decoded.
std::string path_rest(const Route& route, std::string_view path);

/// The segments that stand where a row has braces, percent-decoded.
std::vector<std::string> path_ids(const Route& route, std::string_view path);

}  // namespace gateway
