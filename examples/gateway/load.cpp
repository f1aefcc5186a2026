/// Puts the layers of a configuration together.
#include "load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <llmroute/text.hpp>
#include <optional>

#include "address.hpp"
#include "sections.hpp"
#include "source.hpp"

namespace gateway {
namespace {

using llmroute::Config;
using llmroute::Error;
using llmroute::ErrorCode;
using llmroute::Result;

Error invalid(std::string message) {
  return Error{.code = ErrorCode::invalid_config, .message = std::move(message)};
}

Result<void> apply_flags(const Flags& flags, Setting& setting) {
  if (flags.host) setting.set("server.host", {.value = *flags.host, .place = "--host"});
  if (flags.console) setting.set("logging.console", {.value = true, .place = "--console"});
  if (flags.reload) setting.set("reload.interval", {.value = std::int64_t{1}, .place = "--reload"});
  if (flags.port && (*flags.port < 0 || *flags.port > 65535)) {
    return invalid(fmt::format("--port: {} is not a port, 0 to 65535", *flags.port));
  }
  if (flags.port) {
    setting.set("server.port", {.value = std::int64_t{*flags.port}, .place = "--port"});
  }
  return {};
}

Result<void> check_sections(const Setting& setting) {
  const std::vector<std::string_view> known = all_sections();
  for (const Setting::Member& member : setting.table()) {
    if (std::find(known.begin(), known.end(), member.name) != known.end()) continue;
    Error error = invalid(
        at_place(member.setting.place, member.name,
                 fmt::format("unknown; nearest: \"{}\"", llmroute::nearest(member.name, known))));
    error.param = member.name;
    return error;
  }
  return {};
}

/// The library names the key at fault; the place is known here.
Error placed(const Error& error, const Setting& setting) {
  if (error.param.empty()) return error;
  Error better = error;
  const std::size_t key = error.message.find("key \"");
  const std::string_view what =
      std::string_view(error.message).substr(key == std::string::npos ? 0 : key);
  better.message = at_place(setting.place_of(error.param), "", what);
  return better;
}

Result<Config> library_config(const Setting& setting) {
  const std::vector<std::string_view> known = library_sections();
  Setting::Table sections;
  for (const Setting::Member& member : setting.table()) {
    if (std::find(known.begin(), known.end(), member.name) != known.end()) {
      sections.push_back(member);
    }
  }
  auto config = Config::from_json(to_json({.value = std::move(sections)}));
  if (!config) return placed(config.error(), setting);
  Config trial = *config;  // prepare() expands ${VAR}; the router does that itself, once
  if (auto prepared = trial.prepare(); !prepared) return placed(prepared.error(), setting);
  if (setting.find("breaker.max_open") == nullptr) {  // it is not to shorten what is asked for
    config->breaker.max_open = std::max(config->breaker.max_open, config->breaker.open);
  }
  return config;
}

/// Where there is an admin API, or keys that it has made, nodes come from the store as well.
Result<void> check_nodes(const Setting& setting, const Options& options, const Flags& flags) {
  const auto* nodes = setting.find("nodes");
  const auto* list = nodes != nullptr ? std::get_if<Setting::Array>(&nodes->value) : nullptr;
  const bool none = nodes == nullptr || (list != nullptr && list->empty());
  if (!none || options.needs_store() || flags.without_nodes) return {};
  return invalid(fmt::format(
      "{}: no node is configured: set VLLM_NODES=http://host:port[,...], or list [[nodes]] in "
      "llmroute.toml, or name a file with --config",
      options.source.empty() ? "environment" : options.source));
}

Result<void> check_admin_listen(const Setting& setting, const Options& options) {
  constexpr std::string_view key = "server.admin_listen";
  if (options.server.admin_listen.empty()) return {};
  const auto address = read_address(options.server.admin_listen);
  if (address) return {};
  return invalid(at_place(setting.place_of(key), key, address.error().message));
}

/// Environment and flags over what the file says.
Result<void> lay_over(Setting& setting, const Flags& flags, const Environment& environment) {
  if (auto done = apply_variables(assignments(environment), setting); !done) return done;
  return apply_flags(flags, setting);
}

Result<Options> options_of(const Document& document, Setting setting, const Flags& flags) {
  if (auto done = check_sections(setting); !done) return done.error();
  if (setting.find("health.active") == nullptr) setting.set("health.active", {.value = true});
  Options options;
  options.source = document.path;
  options.form = document.form;
  options.fingerprint = document.fingerprint;
  if (auto done = read_sections(setting, options); !done) return done.error();
  if (auto done = check_admin_listen(setting, options); !done) return done.error();
  if (auto done = check_nodes(setting, options, flags); !done) return done.error();
  auto config = library_config(setting);
  if (!config) return std::move(config.error());
  options.router = std::move(*config);
  return options;
}

Result<Options> load_document(Result<Document> document, const Flags& flags,
                              const Environment& environment) {
  if (!document) return std::move(document.error());
  auto setting = document->translated();
  if (!setting) return std::move(setting.error());
  if (auto done = lay_over(*setting, flags, environment); !done) return done.error();
  return options_of(*document, std::move(*setting), flags);
}

/// Tries until it succeeds, each time without the key that the last try was refused for. What has
/// no key, or one that must be there, ends it: what would follow from its lack is no mistake of its
/// own.
template <class T>
std::optional<T> try_without(Setting& setting, std::vector<Error>& found,
                             const std::function<Result<T>()>& attempt) {
  constexpr std::size_t enough = 50;
  for (;;) {
    Result<T> result = attempt();
    if (result) return std::move(*result);
    const std::string key = result.error().param;
    found.push_back(std::move(result.error()));
    const bool needed = key.ends_with("url") || key.ends_with("name");
    if (needed || found.size() == enough || !take(setting, key)) return std::nullopt;
  }
}

}  // namespace

Result<Options> load(const Flags& flags, const Environment& environment) {
  const std::string path = find_source(flags.config.value_or(""), environment);
  return load_document(read_document(path, environment), flags, environment);
}

Result<Options> load_text(const std::string& path, std::string_view text, const Flags& flags,
                          const Environment& environment) {
  return load_document(parse_document(path, text, environment), flags, environment);
}

std::vector<Error> faults(const Flags& flags, const Environment& environment) {
  auto document = read_document(find_source(flags.config.value_or(""), environment), environment);
  if (!document) return {document.error()};
  std::vector<Error> found;
  std::optional<Setting> setting =
      try_without<Setting>(document->setting, found, [&] { return document->translated(); });
  if (!setting) return found;
  if (auto done = lay_over(*setting, flags, environment); !done) {
    found.push_back(done.error());
    return found;
  }
  (void)try_without<Options>(*setting, found,
                             [&] { return options_of(*document, *setting, flags); });
  return found;
}

}  // namespace gateway
