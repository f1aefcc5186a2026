/// The table and the look-up.
#include "route_table.hpp"

#include <algorithm>
#include <array>

namespace gateway {
namespace {

constexpr std::string_view open_end = "...";

constexpr std::array table = {
    Route{"POST", "/v1/chat/completions", Access::token, Endpoint::inference},
    Route{"POST", "/v1/completions", Access::token, Endpoint::inference},
    Route{"POST", "/v1/embeddings", Access::token, Endpoint::inference},
    Route{"POST", "/v1/responses", Access::token, Endpoint::inference},
    Route{"POST", "/v1/messages", Access::token, Endpoint::inference},
    Route{"POST", "/v1/messages/count_tokens", Access::token, Endpoint::inference},
    Route{"POST", "/v1/rerank", Access::token, Endpoint::inference},
    Route{"POST", "/v1/moderations", Access::token, Endpoint::inference},
    Route{"POST", "/v1/audio/speech", Access::token, Endpoint::relay},
    Route{"POST", "/v1/audio/transcriptions", Access::token, Endpoint::relay},
    Route{"POST", "/v1/audio/translations", Access::token, Endpoint::relay},
    Route{"POST", "/v1/images/generations", Access::token, Endpoint::relay},
    Route{"POST", "/v1/images/edits", Access::token, Endpoint::relay},
    Route{"POST", "/v1/images/variations", Access::token, Endpoint::relay},
    Route{"GET", "/v1/models", Access::token, Endpoint::models},
    Route{"GET", "/v1/models/...", Access::token, Endpoint::model},
    Route{"GET", "/stats", Access::token, Endpoint::stats},
    Route{"GET", "/load-stats", Access::token, Endpoint::load_stats},
    Route{"GET", "/", Access::open, Endpoint::service},
    Route{"GET", "/health", Access::open, Endpoint::health},
    Route{"GET", "/livez", Access::open, Endpoint::alive},
    Route{"GET", "/readyz", Access::open, Endpoint::ready},
    Route{"GET", "/version", Access::open, Endpoint::version},
    Route{"GET", "/metrics", Access::open, Endpoint::metrics},
    Route{"GET", "/ui", Access::open, Endpoint::ui},
    Route{"GET", "/admin/v1/models", Access::admin, Endpoint::list_models},
    Route{"POST", "/admin/v1/models", Access::admin, Endpoint::create_model},
    Route{"GET", "/admin/v1/models/{id}", Access::admin, Endpoint::read_model},
    Route{"PUT", "/admin/v1/models/{id}", Access::admin, Endpoint::change_model},
    Route{"DELETE", "/admin/v1/models/{id}", Access::admin, Endpoint::delete_model},
    Route{"POST", "/admin/v1/models/{id}/backends", Access::admin, Endpoint::add_backend},
    Route{"PUT", "/admin/v1/models/{id}/backends/{id}", Access::admin, Endpoint::change_backend},
    Route{"DELETE", "/admin/v1/models/{id}/backends/{id}", Access::admin, Endpoint::delete_backend},
    Route{"GET", "/admin/v1/keys", Access::admin, Endpoint::list_keys},
    Route{"POST", "/admin/v1/keys", Access::admin, Endpoint::create_key},
    Route{"GET", "/admin/v1/keys/{id}", Access::admin, Endpoint::read_key},
    Route{"PUT", "/admin/v1/keys/{id}", Access::admin, Endpoint::change_key},
    Route{"DELETE", "/admin/v1/keys/{id}", Access::admin, Endpoint::revoke_key},
};

/// Takes a segment off the front of a path, the slash behind it too.
std::string_view take_segment(std::string_view& path) {
  const std::size_t end = std::min(path.find('/'), path.size());
  const std::string_view segment = path.substr(0, end);
  path.remove_prefix(std::min(end + 1, path.size()));
  return segment;
}

bool is_variable(std::string_view segment) { return segment.starts_with('{'); }

bool fits(std::string_view pattern, std::string_view path) {
  if (pattern.find('{') == pattern.npos) return pattern == path;
  if (std::count(pattern.begin(), pattern.end(), '/') != std::count(path.begin(), path.end(), '/'))
    return false;
  while (!pattern.empty()) {
    const std::string_view expected = take_segment(pattern);
    const std::string_view found = take_segment(path);
    if (is_variable(expected) ? found.empty() : found != expected) return false;
  }
  return true;
}

bool leads_here(const Route& route, std::string_view path) {
  if (!route.path.ends_with(open_end)) return fits(route.path, path);
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
    match.access = route.access;
    if (route.method == method) return {.route = &route, .access = route.access};
    if (!match.allowed.empty()) match.allowed += ", ";
    match.allowed += route.method;
  }
  return match;
}

namespace {

std::string decoded(std::string_view rest) {
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

}  // namespace

std::string path_rest(const Route& route, std::string_view path) {
  return decoded(path.substr(route.path.size() - open_end.size()));
}

std::vector<std::string> path_ids(const Route& route, std::string_view path) {
  std::vector<std::string> ids;
  for (std::string_view pattern = route.path; !pattern.empty();) {
    const std::string_view segment = take_segment(path);
    if (is_variable(take_segment(pattern))) ids.push_back(decoded(segment));
  }
  return ids;
}

}  // namespace gateway
