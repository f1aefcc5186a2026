/// The file of a configuration: which it is, whose form it has, and what it says in our own words.
#pragma once

#include <llmroute/result.hpp>
#include <string>
#include <string_view>

#include "setting.hpp"
#include "variables.hpp"

namespace gateway {

/// What the letters of a file are. By its name where that says so, else by its first line.
enum class Syntax { toml, yaml, dotenv };
Syntax syntax_of(std::string_view path, std::string_view text);

/// A file as it was written, and how its words become ours.
struct Document {
  std::string path{};  ///< empty: there is no file
  std::string form{};  ///< "llmroute.toml", "servers.toml", "gateway.yaml", "provider YAML", ...
  std::size_t fingerprint = 0;  ///< of the text
  Setting setting{};
  llmroute::Result<Setting> (*translate)(Setting) = nullptr;  ///< null: they are ours

  /// Our own tree.
  llmroute::Result<Setting> translated() const;
};

/// Tells texts apart.
std::size_t fingerprint_of(std::string_view text);

/// `named`, else CONFIG_PATH, else the first there is of llmroute.toml, servers.toml, gateway.yaml,
/// gateway/.env and .env; empty: there is none.
std::string find_source(std::string_view named, const Environment& environment);

/// Reads the file, of whatever form: what is in it decides. Without one, the variables' documented
/// defaults.
llmroute::Result<Document> read_document(const std::string& path, const Environment& environment);

/// The same of a text that has been read already.
llmroute::Result<Document> parse_document(const std::string& path, std::string_view text,
                                          const Environment& environment);

llmroute::Result<std::string> read_file(const std::string& path);

}  // namespace gateway
