/// One branch for each form.
#include "source.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "gateway_yaml.hpp"
#include "litellm_yaml.hpp"
#include "provider_yaml.hpp"
#include "servers_toml.hpp"
#include "toml_source.hpp"
#include "yaml_source.hpp"

namespace gateway {
namespace {

using llmroute::Error;
using llmroute::ErrorCode;
using llmroute::Result;

constexpr std::array usual_places = {"llmroute.toml", "servers.toml", "gateway.yaml",
                                     "gateway/.env", ".env"};

std::string_view name_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

/// The first line that says something; empty: none does.
std::string_view first_line(std::string_view text) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t begin = line.find_first_not_of(" \t\r\xEF\xBB\xBF");
    if (begin == line.npos || line[begin] == '#') continue;
    return line.substr(begin);
  }
  return {};
}

/// NAME=VALUE, with a name as variables have it.
bool is_assignment(std::string_view line) {
  if (line.starts_with("export ")) line.remove_prefix(7);
  const std::size_t end = line.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
  return end != line.npos && end > 0 && line[end] == '=';
}

Syntax syntax_of_line(std::string_view line) {
  if (line.empty() || is_assignment(line)) return Syntax::dotenv;
  if (line.starts_with('[')) return Syntax::toml;
  return line.find('=') < line.find(':') ? Syntax::toml : Syntax::yaml;
}

Result<Setting> read_variables(std::string_view text, const std::string& path) {
  auto variables = read_dotenv(text, path);
  if (!variables) return std::move(variables.error());
  Setting setting = dotenv_defaults();
  if (auto applied = apply_variables(*variables, setting); !applied) return applied.error();
  return setting;
}

using Translate = Result<Setting> (*)(Setting);

Result<Document> document_of(std::string_view form, Result<Setting> setting, Translate translate) {
  if (!setting) return std::move(setting.error());
  return Document{
      .form = std::string(form), .setting = std::move(*setting), .translate = translate};
}

Result<Document> parse_toml(const std::string& path, std::string_view text) {
  auto setting = read_toml(text, path);
  if (!setting) return std::move(setting.error());
  const bool servers = is_servers_toml(*setting);
  return document_of(servers ? "servers.toml" : "llmroute.toml", std::move(setting),
                     servers ? from_servers_toml : nullptr);
}

/// Variables are put in while a text is read, and what is in it decides how: so it is read twice.
Result<Document> parse_yaml(const std::string& path, std::string_view text,
                            const Environment& environment) {
  auto setting = read_yaml(text, path);
  if (!setting) return std::move(setting.error());
  if (is_litellm_yaml(*setting)) {
    return document_of("LiteLLM", read_yaml(text, path, litellm_expansion(lookup_in(environment))),
                       from_litellm_yaml);
  }
  const bool providers = setting->find("providers") != nullptr;
  const bool ours = providers || setting->find("nodes") != nullptr;
  const bool named = name_of(path).starts_with("gateway.y");
  if (!ours && (is_gateway_yaml(*setting) || named)) {
    return document_of("gateway.yaml",
                       read_yaml(text, path, gateway_yaml_expansion(lookup_in(environment))),
                       from_gateway_yaml);
  }
  return document_of(providers ? "provider YAML" : "YAML", std::move(setting), from_provider_yaml);
}

}  // namespace

Syntax syntax_of(std::string_view path, std::string_view text) {
  const std::string_view name = name_of(path);
  if (name.ends_with(".toml")) return Syntax::toml;
  if (name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".json")) {
    return Syntax::yaml;
  }
  if (name.ends_with(".env") || name.starts_with(".env")) return Syntax::dotenv;
  return syntax_of_line(first_line(text));
}

std::string find_source(std::string_view named, const Environment& environment) {
  if (!named.empty()) return std::string(named);
  if (const auto path = environment.find("CONFIG_PATH");
      path != environment.end() && !path->second.empty()) {
    return path->second;
  }
  std::error_code ignored;
  for (const char* usual : usual_places) {
    if (std::filesystem::exists(usual, ignored)) return usual;
  }
  return {};
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
  return Error{.code = ErrorCode::invalid_config,
               .message = fmt::format("{}: cannot be read: {}", path, std::strerror(errno))};
}

std::size_t fingerprint_of(std::string_view text) { return std::hash<std::string_view>{}(text); }

Result<Setting> Document::translated() const {
  if (translate == nullptr) return setting;
  return translate(setting);
}

Result<Document> parse_document(const std::string& path, std::string_view text,
                                const Environment& environment) {
  const Syntax syntax = syntax_of(path, text);
  auto document = syntax == Syntax::toml ? parse_toml(path, text)
                  : syntax == Syntax::yaml
                      ? parse_yaml(path, text, environment)
                      : document_of(".env", read_variables(text, path), nullptr);
  if (!document) return document;
  document->path = path;
  document->fingerprint = fingerprint_of(text);
  return document;
}

Result<Document> read_document(const std::string& path, const Environment& environment) {
  if (path.empty()) return document_of("environment", dotenv_defaults(), nullptr);
  auto text = read_file(path);
  if (!text) return std::move(text.error());
  return parse_document(path, *text, environment);
}

}  // namespace gateway
