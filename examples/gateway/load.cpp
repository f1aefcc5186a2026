/// Puts the layers of a configuration together.
#include "load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <llmroute/text.hpp>
#include <memory>

#include "sections.hpp"
#include "toml_source.hpp"

namespace gateway {
namespace {

using llmroute::Config;
using llmroute::Error;
using llmroute::ErrorCode;
using llmroute::Result;

/// The sections that Config::from_json reads.
constexpr std::array<std::string_view, 8> library_sections = {
    "router", "timeouts", "backpressure", "health", "breaker", "hedge", "nodes", "models"};

Error invalid(std::string message) {
  return Error{.code = ErrorCode::invalid_config, .message = std::move(message)};
}

Result<std::string> read_file(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  std::string text;
  std::array<char, 4096> piece{};
  while (file && std::feof(file.get()) == 0 && std::ferror(file.get()) == 0) {
    text.append(piece.data(), std::fread(piece.data(), 1, piece.size(), file.get()));
  }
  if (file && std::ferror(file.get()) == 0) return text;
  return invalid(fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
}

bool is_dotenv(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return name.ends_with(".env") || name.starts_with(".env");
}

bool is_yaml(std::string_view path) { return path.ends_with(".yaml") || path.ends_with(".yml"); }

/// The file to use; empty: there is none.
std::string find_source(const Flags& flags, const Environment& environment) {
  if (flags.config) return *flags.config;
  if (const auto named = environment.find("CONFIG_PATH");
      named != environment.end() && !named->second.empty()) {
    return named->second;
  }
  std::error_code ignored;
  for (const char* usual : {"llmroute.toml", ".env"}) {
    if (std::filesystem::exists(usual, ignored)) return usual;
  }
  return {};
}

/// The variables' documented defaults hold wherever no TOML file with defaults of its own is used.
Result<Setting> read_source(const std::string& source) {
  if (source.empty()) return dotenv_defaults();
  if (is_yaml(source)) {
    return invalid(fmt::format("{}: YAML is not read; give a .toml or a .env file", source));
  }
  auto text = read_file(source);
  if (!text) return std::move(text.error());
  if (!is_dotenv(source)) return read_toml(*text, source);
  auto variables = read_dotenv(*text, source);
  if (!variables) return std::move(variables.error());
  Setting setting = dotenv_defaults();
  if (auto applied = apply_variables(*variables, setting); !applied) return applied.error();
  return setting;
}

Result<void> apply_flags(const Flags& flags, Setting& setting) {
  if (flags.host) setting.set("server.host", {.value = *flags.host, .place = "--host"});
  if (flags.console) setting.set("logging.console", {.value = true, .place = "--console"});
  if (flags.port && (*flags.port < 0 || *flags.port > 65535)) {
    return invalid(fmt::format("--port: {} is not a port, 0 to 65535", *flags.port));
  }
  if (flags.port) {
    setting.set("server.port", {.value = std::int64_t{*flags.port}, .place = "--port"});
  }
  return {};
}

bool is_library_section(std::string_view name) {
  return std::find(library_sections.begin(), library_sections.end(), name) !=
         library_sections.end();
}

Result<void> check_sections(const Setting& setting) {
  std::vector<std::string_view> known = own_sections();
  known.insert(known.end(), library_sections.begin(), library_sections.end());
  for (const Setting::Member& member : setting.table()) {
    if (std::find(known.begin(), known.end(), member.name) != known.end()) continue;
    return invalid(
        at_place(member.setting.place, member.name,
                 fmt::format("unknown; nearest: \"{}\"", llmroute::nearest(member.name, known))));
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
  Setting::Table sections;
  for (const Setting::Member& member : setting.table()) {
    if (is_library_section(member.name)) sections.push_back(member);
  }
  auto config = Config::from_json(to_json({.value = std::move(sections)}));
  if (!config) return placed(config.error(), setting);
  Config trial = *config;  // prepare() expands ${VAR}; the router does that itself, once
  if (auto prepared = trial.prepare(); !prepared) return placed(prepared.error(), setting);
  return config;
}

std::string no_node(const std::string& source) {
  return fmt::format(
      "{}: no node is configured: set VLLM_NODES=http://host:port[,...], or list [[nodes]] in "
      "llmroute.toml, or name a file with --config",
      source.empty() ? "environment" : source);
}

}  // namespace

Result<Options> load(const Flags& flags, const Environment& environment) {
  const std::string source = find_source(flags, environment);
  auto setting = read_source(source);
  if (!setting) return std::move(setting.error());
  if (auto done = apply_variables(assignments(environment), *setting); !done) return done.error();
  if (auto done = apply_flags(flags, *setting); !done) return done.error();
  if (auto done = check_sections(*setting); !done) return done.error();
  if (setting->find("health.active") == nullptr) setting->set("health.active", {.value = true});

  Options options;
  options.source = source;
  if (auto done = read_sections(*setting, options); !done) return done.error();
  const auto* nodes = setting->find("nodes");
  const auto* list = nodes != nullptr ? std::get_if<Setting::Array>(&nodes->value) : nullptr;
  if (nodes == nullptr || (list != nullptr && list->empty())) return invalid(no_node(source));
  auto config = library_config(*setting);
  if (!config) return std::move(config.error());
  options.router = std::move(*config);
  return options;
}

}  // namespace gateway
