/// The table and the look-up.
#include "route_table.hpp"

#include <array>

namespace gateway {
namespace {

constexpr std::string_view open_end = "...";

constexpr std::array table = {
    Route{"POST", "/v1/chat/completions", Access::token, Endpoint::inference},
    Route{"POST", "/v1/completions", Access::token, Endpoint::inference},
    Route{"POST", "/v1/embeddings", Access::token, Endpoint::inference},
    Route{"GET", "/v1/models", Access::token, Endpoint::models},
    Route{"GET", "/v1/models/...", Access::token, Endpoint::model},
    Route{"GET", "/stats", Access::token, Endpoint::stats},
    Route{"GET", "/", Access::open, Endpoint::service},
    Route{"GET", "/health", Access::open, Endpoint::health},
    Route{"GET", "/livez", Access::open, Endpoint::alive},
    Route{"GET", "/readyz", Access::open, Endpoint::ready},
    Route{"GET", "/version", Access::open, Endpoint::version},
    Route{"GET", "/metrics", Access::open, Endpoint::metrics},
};

bool leads_here(const Route& route, std::string_view path) {
  if (!route.path.ends_with(open_end)) return route.path == path;
  const std::string_view stem = route.path.substr(0, route.path.size() - open_end.size());
  return path.size() > stem.size() && path.starts_with(stem);
}

int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

std::span<const Route> routes() noexcept { return table; }

Match find_route(std::string_view method, std::string_view path) {
  Match match;
  for (const Route& route : table) {
    if (!leads_here(route, path)) continue;
    if (route.method == method) return {.route = &route};
    if (!match.allowed.empty()) match.allowed += ", ";
    match.allowed += route.method;
  }
  return match;
}

std::string path_rest(const Route& route, std::string_view path) {
  const std::string_view rest = path.substr(route.path.size() - open_end.size());
  std::string out;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const bool escape =
        rest[i] == '%' && i + 2 < rest.size() && hex(rest[i + 1]) >= 0 && hex(rest[i + 2]) >= 0;
    if (!escape) {
      out += rest[i];
      continue;
    }
    out += static_cast<char>(hex(rest[i + 1]) * 16 + hex(rest[i + 2]));
    i += 2;
  }
  return out;
}

}  // namespace gateway
