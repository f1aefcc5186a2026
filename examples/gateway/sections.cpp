/// One list of keys per section: it reads them, and knows which are none.
#include "sections.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <http/address_set.hpp>
#include <limits>
#include <llmroute/text.hpp>
#include <optional>
#include <span>

namespace gateway {
namespace {

using llmroute::Duration;
using llmroute::Error;
using llmroute::ErrorCode;
using llmroute::Result;

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array time_units = {Unit{"ms", 1e-3}, Unit{"s", 1}, Unit{"m", 60}, Unit{"h", 3600}};
constexpr std::array size_units = {Unit{"B", 1}, Unit{"KB", 1024}, Unit{"MB", 1024.0 * 1024},
                                   Unit{"GB", 1024.0 * 1024 * 1024}};

/// "250ms" with the units of time is 0.25; without a unit the number itself.
std::optional<double> with_unit(std::string_view text, std::span<const Unit> units) {
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || !std::isfinite(value)) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (unit.empty()) return value;
  for (const Unit& known : units) {
    if (known.name == unit) return value * known.factor;
  }
  return std::nullopt;
}

/// One section while it is read: each `read` takes a key, `end` refuses what nobody took. The first
/// error stays.
class Section {
 public:
  Section(const Setting& root, std::string_view name) : name_(name), setting_(root.find(name)) {
    if (setting_ != nullptr && !std::holds_alternative<Setting::Table>(setting_->value)) {
      error_ = error_at(*setting_, name_, "is a section");
      setting_ = nullptr;
    }
  }

  void read(std::string_view key, std::string& out) {
    if (const Setting* value = take(key)) {
      if (const auto* text = std::get_if<std::string>(&value->value)) {
        out = *text;
      } else {
        refuse(*value, key, "takes a text in quotes");
      }
    }
  }

  void read(std::string_view key, bool& out) {
    if (const Setting* value = take(key)) {
      if (const auto* flag = std::get_if<bool>(&value->value)) {
        out = *flag;
      } else {
        refuse(*value, key, "takes true or false");
      }
    }
  }

  void read(std::string_view key, std::vector<std::string>& out) {
    const Setting* value = take(key);
    if (value == nullptr) return;
    const auto* list = std::get_if<Setting::Array>(&value->value);
    if (list == nullptr) return refuse(*value, key, "takes a list of texts");
    out.clear();
    for (const Setting& element : *list) {
      const auto* text = std::get_if<std::string>(&element.value);
      if (text == nullptr) return refuse(element, key, "takes a list of texts");
      out.push_back(*text);
    }
  }

  void read(std::string_view key, std::map<std::string, std::string>& out) {
    const Setting* value = take(key);
    if (value == nullptr) return;
    if (!std::holds_alternative<Setting::Table>(value->value)) {
      return refuse(*value, key, "takes a table of texts");
    }
    out.clear();
    for (const Setting::Member& member : value->table()) {
      const auto* text = std::get_if<std::string>(&member.setting.value);
      if (text == nullptr) return refuse(member.setting, key, "takes a table of texts");
      out[member.name] = *text;
    }
  }

  void read(std::string_view key, Duration& out) {
    double seconds = 0;
    if (!read_number(key, time_units, 86400.0 * 366, "takes a time, such as \"10s\" or \"250ms\"",
                     seconds))
      return;
    out = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
  }

  void read_size(std::string_view key, std::size_t& out) {
    double bytes = 0;
    if (!read_number(key, size_units, 1e15, "takes a size, such as \"50MB\"", bytes)) return;
    out = static_cast<std::size_t>(bytes);
  }

  template <class T>
  void read_count(std::string_view key, T& out, std::int64_t most) {
    const Setting* value = take(key);
    if (value == nullptr) return;
    const auto* count = std::get_if<std::int64_t>(&value->value);
    if (count != nullptr && *count >= 0 && *count <= most) {
      out = static_cast<T>(*count);
    } else {
      refuse(*value, key, fmt::format("takes a whole number from 0 to {}", most));
    }
  }

  /// `names` in the order of the enum's values.
  template <class E, std::size_t n>
  void read_name(std::string_view key, E& out, const std::array<std::string_view, n>& names) {
    const Setting* value = take(key);
    if (value == nullptr) return;
    const auto* text = std::get_if<std::string>(&value->value);
    for (std::size_t i = 0; text != nullptr && i < n; ++i) {
      if (llmroute::same_field_name(*text, names[i])) {
        out = static_cast<E>(i);
        return;
      }
    }
    refuse(*value, key,
           fmt::format("takes one of {}{}", fmt::join(names, ", "),
                       text != nullptr ? fmt::format(", not \"{}\"", *text) : ""));
  }

  /// A key that somebody else reads.
  void skip(std::string_view key) { taken_.push_back(key); }

  Result<void> end() {
    if (setting_ == nullptr || error_) return result();
    for (const Setting::Member& member : setting_->table()) {
      if (std::find(taken_.begin(), taken_.end(), member.name) != taken_.end()) continue;
      const std::string close(llmroute::nearest(member.name, taken_));
      refuse(member.setting, member.name, fmt::format("unknown; nearest: \"{}.{}\"", name_, close));
    }
    return result();
  }

 private:
  static Error error_at(const Setting& at, std::string_view key, std::string_view what) {
    return Error{.code = ErrorCode::invalid_config,
                 .message = at_place(at.place, key, what),
                 .param = std::string(key)};
  }

  const Setting* take(std::string_view key) {
    taken_.push_back(key);
    return setting_ == nullptr ? nullptr : setting_->find(key);
  }

  void refuse(const Setting& at, std::string_view key, std::string_view what) {
    if (!error_) error_ = error_at(at, fmt::format("{}.{}", name_, key), what);
  }

  /// A number, or a text with a unit, from 0 to `most`.
  bool read_number(std::string_view key, std::span<const Unit> units, double most,
                   std::string_view what, double& out) {
    const Setting* value = take(key);
    if (value == nullptr) return false;
    std::optional<double> number;
    if (const auto* text = std::get_if<std::string>(&value->value))
      number = with_unit(*text, units);
    if (const auto* whole = std::get_if<std::int64_t>(&value->value))
      number = static_cast<double>(*whole);
    if (const auto* broken = std::get_if<double>(&value->value)) number = *broken;
    if (!number || *number < 0 || *number > most) {
      refuse(*value, key, what);
      return false;
    }
    out = *number;
    return true;
  }

  Result<void> result() {
    if (error_) return *error_;
    return {};
  }

  std::string_view name_;
  const Setting* setting_;
  std::vector<std::string_view> taken_{};
  std::optional<Error> error_{};
};

/// What is no matter of one key's kind alone.
Error wrong_setting(const Setting& root, const std::string& key, std::string_view what) {
  return Error{.code = ErrorCode::invalid_config,
               .message = at_place(root.place_of(key), key, what),
               .param = key};
}

Result<void> read_server_tls(const Setting& root, ServerTls& tls) {
  Section section(root, "server.tls");
  section.read("cert_file", tls.cert_file);
  section.read("key_file", tls.key_file);
  section.read("client_ca_file", tls.client_ca_file);
  if (auto read = section.end(); !read) return read;
  const bool wanted =
      !tls.cert_file.empty() || !tls.key_file.empty() || !tls.client_ca_file.empty();
  for (const auto& [key, file] : {std::pair("server.tls.cert_file", &tls.cert_file),
                                  std::pair("server.tls.key_file", &tls.key_file)}) {
    if (wanted && file->empty()) {
      return wrong_setting(root, key, "is missing: TLS needs a certificate and its key");
    }
  }
  return {};
}

Result<void> read_server(const Setting& root, ServerOptions& server) {
  Section section(root, "server");
  section.read("host", server.host);
  section.read_count("port", server.port, std::numeric_limits<std::uint16_t>::max());
  section.read_count("workers", server.workers, 1024);
  section.read("header_timeout", server.header_timeout);
  section.read("read_timeout", server.read_timeout);
  section.read("write_timeout", server.write_timeout);
  section.read("idle_timeout", server.idle_timeout);
  section.read_size("max_body", server.max_body);
  section.read_size("max_body_in_flight", server.max_body_in_flight);
  section.read_count("max_connections", server.max_connections, 10'000'000);
  section.read_count("max_connections_per_address", server.max_connections_per_address, 10'000'000);
  section.read("drain_timeout", server.drain_timeout);
  section.read("trusted_proxies", server.trusted_proxies);
  section.read("admin_listen", server.admin_listen);
  section.skip("tls");
  if (auto read = section.end(); !read) return read;
  if (server.max_body_in_flight != 0 && server.max_body_in_flight < server.max_body) {
    return wrong_setting(root, "server.max_body_in_flight",
                         "must be 0, for no bound, or at least max_body: the largest body would "
                         "never be let in");
  }
  if (const auto set = http::AddressSet::of(server.trusted_proxies); !set) {
    return wrong_setting(root, "server.trusted_proxies", set.error().message);
  }
  return read_server_tls(root, server.tls);
}

Result<void> read_auth(const Setting& root, AuthOptions& auth) {
  Section section(root, "auth");
  section.read("auth_token", auth.auth_token);
  section.read("tokens", auth.tokens);
  section.read("admin_key", auth.admin_key);
  section.read("keys", auth.keys);
  return section.end();
}

Result<void> read_store(const Setting& root, StoreOptions& store) {
  Section section(root, "store");
  section.read("database_url", store.database_url);
  section.read_count("max_open_conns", store.max_open_conns, 1000);
  section.read_count("max_idle_conns", store.max_idle_conns, 1000);
  section.read("redis_url", store.redis_url);
  section.read("cache_refresh_interval", store.cache_refresh_interval);
  return section.end();
}

Result<void> read_reload(const Setting& root, ReloadOptions& reload) {
  Section section(root, "reload");
  section.read("interval", reload.interval);
  return section.end();
}

Result<void> read_logging(const Setting& root, LoggingOptions& logging) {
  static constexpr std::array<std::string_view, 5> levels = {"debug", "info", "warn", "error",
                                                             "warning"};
  static constexpr std::array<std::string_view, 2> formats = {"json", "text"};
  Section section(root, "logging");
  section.read_name("level", logging.level, levels);
  section.read_name("format", logging.format, formats);
  section.read("console", logging.console);
  section.read("dir", logging.dir);
  if (static_cast<std::size_t>(logging.level) == levels.size() - 1) logging.level = LogLevel::warn;
  return section.end();
}

}  // namespace

std::vector<std::string_view> own_sections() {
  return {"server", "auth", "store", "logging", "reload"};
}

std::vector<std::string_view> library_sections() {
  return {"router", "timeouts", "backpressure", "health", "breaker",
          "hedge",  "limits",   "nodes",        "models"};
}

std::vector<std::string_view> all_sections() {
  std::vector<std::string_view> names = own_sections();
  const std::vector<std::string_view> library = library_sections();
  names.insert(names.end(), library.begin(), library.end());
  return names;
}

Result<void> read_sections(const Setting& root, Options& options) {
  if (auto read = read_server(root, options.server); !read) return read;
  if (auto read = read_auth(root, options.auth); !read) return read;
  if (auto read = read_store(root, options.store); !read) return read;
  if (auto read = read_logging(root, options.logging); !read) return read;
  return read_reload(root, options.reload);
}

}  // namespace gateway
