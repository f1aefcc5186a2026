/// What the gateway answers, as one table: method, path, and who may ask. Deny by default: a row
/// has to say that it is open.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace gateway {

enum class Access : std::uint8_t { token, open };

/// What a row leads to.
enum class Endpoint : std::uint8_t {
  inference,
  models,
  model,
  service,
  health,
  alive,
  ready,
  version,
  stats,
  metrics
};

struct Route {
  std::string_view method;
  std::string_view path;  ///< one that ends in "/..." takes whatever follows the slash
  Access access;
  Endpoint endpoint;
};

std::span<const Route> routes() noexcept;

/// The row for a request, or the methods that its path has; both empty: there is no such path.
/// `path` without a query.
struct Match {
  const Route* route = nullptr;
  std::string allowed{};  ///< "GET, POST": for a 405
};

Match find_route(std::string_view method, std::string_view path);

/// What follows the slash of a row that ends in "/...", percent-decoded.
std::string path_rest(const Route& route, std::string_view path);

}  // namespace gateway
