/// One table of variables; everything else reads it.
#include "variables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <llmroute/text.hpp>
#include <optional>

namespace gateway {
namespace {

using llmroute::Error;
using llmroute::ErrorCode;
using llmroute::Result;

enum class Kind { text, seconds, count, port, flag, nodes };

struct Variable {
  std::string_view name;
  Kind kind;
  std::string_view key;
  std::string_view second_key = {};  ///< set as well
  std::string_view standard = {};    ///< the documented default; empty: none
  std::string_view turns_on = {};    ///< a flag: who says how often to probe wants probes
};

// Later rows win over earlier ones of the same key: GATEWAY_PORT over PORT.
constexpr std::array variables = {
    Variable{"VLLM_NODES", Kind::nodes, "nodes"},
    Variable{"ROUTING_STRATEGY", Kind::text, "router.strategy", {}, "least_loaded"},
    Variable{"NODE_TIMEOUT_SECONDS", Kind::seconds, "timeouts.attempt", {}, "120"},
    Variable{"CONNECT_TIMEOUT_SECONDS", Kind::seconds, "timeouts.connect", {}, "10"},
    Variable{"MAX_RETRIES", Kind::count, "router.max_retries", {}, "2"},
    Variable{"HEALTH_CHECK_INTERVAL_SECONDS",
             Kind::seconds,
             "health.interval",
             {},
             "15",
             "health.active"},
    Variable{"HEALTH_FAILURE_THRESHOLD", Kind::count, "health.unhealthy_threshold",
             "breaker.consecutive_failures", "3"},
    // Whether it probes at all, servers.toml says: enable_active_health_check.
    Variable{"HEALTH_CHECK_INTERVAL", Kind::seconds, "health.interval"},
    Variable{"REQUEST_TIMEOUT", Kind::seconds, "timeouts.attempt"},
    Variable{"CONFIG_RELOAD_INTERVAL", Kind::seconds, "reload.interval"},
    Variable{"HOST", Kind::text, "server.host"},
    Variable{"PORT", Kind::port, "server.port"},
    Variable{"GATEWAY_PORT", Kind::port, "server.port", {}, "8000"},
    Variable{"AUTH_TOKEN", Kind::text, "auth.auth_token"},
    Variable{"ADMIN_API_KEY", Kind::text, "auth.admin_key"},
    Variable{"DATABASE_URL", Kind::text, "store.database_url"},
    Variable{"REDIS_URL", Kind::text, "store.redis_url"},
    Variable{"MODEL_NAME", Kind::text, "router.default_model"},
    Variable{
        "MAX_CONCURRENT_REQUESTS", Kind::count, "backpressure.max_concurrent_requests", {}, "16"},
    Variable{"MAX_QUEUE_SIZE", Kind::count, "backpressure.max_queue_size", {}, "32"},
    Variable{"LOG_LEVEL", Kind::text, "logging.level"},
    Variable{"LOG_FORMAT", Kind::text, "logging.format"},
    Variable{"LOG_TO_CONSOLE", Kind::flag, "logging.console"},
};

Error bad(std::string_view place, std::string_view what) {
  return Error{.code = ErrorCode::invalid_config, .message = fmt::format("{}: {}", place, what)};
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Setting nodes_of(std::string_view list, const std::string& place) {
  Setting::Array nodes;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view url = trim(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
    if (url.empty()) continue;
    Setting text{.value = std::string(url), .place = place};
    nodes.push_back({.value = Setting::Table{{"url", std::move(text)}}, .place = place});
  }
  return {.value = std::move(nodes), .place = place};
}

Result<Setting> count_of(const Assignment& variable, std::int64_t most) {
  const auto value = number<std::int64_t>(variable.value);
  if (value && *value >= 0 && *value <= most)
    return Setting{.value = *value, .place = variable.place};
  return bad(variable.place,
             fmt::format("\"{}\" is not a whole number from 0 to {}", variable.value, most));
}

Result<Setting> seconds_of(const Assignment& variable) {
  const auto value = number<double>(variable.value);
  if (value && std::isfinite(*value) && *value >= 0) {
    return Setting{.value = *value, .place = variable.place};
  }
  return bad(variable.place,
             fmt::format("\"{}\" is not a number of seconds, 0 or more", variable.value));
}

Result<Setting> flag_of(const Assignment& variable) {
  for (const std::string_view yes : {"true", "1", "yes", "on"}) {
    if (llmroute::same_field_name(variable.value, yes)) return Setting{true, variable.place};
  }
  for (const std::string_view no : {"false", "0", "no", "off"}) {
    if (llmroute::same_field_name(variable.value, no)) return Setting{false, variable.place};
  }
  return bad(variable.place, fmt::format("\"{}\" is neither true nor false", variable.value));
}

Result<Setting> value_of(Kind kind, const Assignment& variable) {
  switch (kind) {
    case Kind::seconds:
      return seconds_of(variable);
    case Kind::count:
      return count_of(variable, 1'000'000);
    case Kind::port:
      return count_of(variable, 65535);
    case Kind::flag:
      return flag_of(variable);
    case Kind::nodes:
      return nodes_of(variable.value, variable.place);
    case Kind::text:
      break;
  }
  return Setting{.value = variable.value, .place = variable.place};
}

/// The value of a line: quoted, or up to a comment.
std::optional<std::string_view> unquote(std::string_view text) {
  text = trim(text);
  if (text.empty() || (text[0] != '"' && text[0] != '\'')) {
    const std::size_t comment = text.starts_with('#') ? 0 : text.find(" #");
    return trim(text.substr(0, comment));
  }
  const std::size_t end = text.find(text[0], 1);
  if (end == text.npos) return std::nullopt;
  const std::string_view rest = trim(text.substr(end + 1));
  if (!rest.empty() && rest[0] != '#') return std::nullopt;
  return text.substr(1, end - 1);
}

bool known(std::string_view name) {
  return std::any_of(variables.begin(), variables.end(),
                     [&](const Variable& v) { return v.name == name; });
}

/// A name that differs from one of ours by a slip of the keyboard; none for other programs'
/// variables.
std::string meant(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Variable& v : variables) names.push_back(v.name);
  std::string close(llmroute::nearest(name, names));
  const bool long_enough = name.size() >= 8;  // HOST and PORT are near to too much
  return long_enough && llmroute::edit_distance(name, close) <= 2 ? close : std::string();
}

/// One line; an assignment without a name for a blank one or a comment.
Result<Assignment> read_line(std::string_view line, std::string_view place) {
  line = trim(line);
  if (line.empty() || line[0] == '#') return Assignment{};
  if (line.starts_with("export ")) line = trim(line.substr(7));
  const std::size_t equals = line.find('=');
  const std::string_view name = trim(line.substr(0, equals));
  if (equals == line.npos || name.empty() || name.find_first_of(" \t\"'") != name.npos) {
    return bad(place, "not of the form NAME=VALUE");
  }
  const auto value = unquote(line.substr(equals + 1));
  if (!value) return bad(place, fmt::format("{}: a quote is not closed", name));
  return Assignment{std::string(name), std::string(*value), fmt::format("{}: {}", place, name)};
}

}  // namespace

Environment process_environment() {
  Environment found;
  for (const std::string_view name : {"CONFIG_PATH"}) {
    if (const char* value = std::getenv(name.data())) found.emplace(name, value);
  }
  for (const Variable& variable : variables) {
    if (const char* value = std::getenv(variable.name.data())) found.emplace(variable.name, value);
  }
  return found;
}

std::vector<Assignment> assignments(const Environment& environment) {
  std::vector<Assignment> found;
  for (const auto& [name, value] : environment) {
    found.push_back({name, value, fmt::format("variable {}", name)});
  }
  return found;
}

Result<std::vector<Assignment>> read_dotenv(std::string_view text, std::string_view file) {
  std::vector<Assignment> found;
  for (int line = 1; !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string place = fmt::format("{}:{}", file, line);
    auto read = read_line(text.substr(0, end), place);
    if (!read) return std::move(read.error());
    text.remove_prefix(std::min(end + 1, text.size()));
    if (read->name.empty()) continue;
    Assignment& assignment = *read;
    const auto same = [&](const Assignment& other) { return other.name == assignment.name; };
    if (known(assignment.name)) {
      if (const auto first = std::find_if(found.begin(), found.end(), same); first != found.end()) {
        return bad(assignment.place, fmt::format("given twice; first at {}", first->place));
      }
      found.push_back(std::move(assignment));
    } else if (const std::string close = meant(assignment.name); !close.empty()) {
      return bad(place, fmt::format("{}: unknown variable; nearest: {}", assignment.name, close));
    }
  }
  return found;
}

Result<void> apply_variables(const std::vector<Assignment>& assigned, Setting& setting) {
  for (const Variable& variable : variables) {
    for (const Assignment& assignment : assigned) {
      if (assignment.name != variable.name || trim(assignment.value).empty()) continue;
      auto value = value_of(variable.kind, assignment);
      if (!value) return value.error();
      if (!variable.second_key.empty()) setting.set(variable.second_key, *value);
      if (!variable.turns_on.empty()) setting.set(variable.turns_on, {true, value->place});
      setting.set(variable.key, std::move(*value));
    }
  }
  return {};
}

Setting dotenv_defaults() {
  Setting setting;
  for (const Variable& variable : variables) {
    if (variable.standard.empty()) continue;
    const Assignment standard{std::string(variable.name), std::string(variable.standard), ""};
    (void)apply_variables({standard}, setting);
  }
  return setting;
}

}  // namespace gateway
