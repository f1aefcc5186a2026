#include "config_secret.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace llmroute::detail {

namespace {

/// In bytes. More than a header may have anyway.
constexpr std::size_t longest_key = 64 << 10;

/// False: `missing` is not set.
bool put_in_variables(std::string& text, std::string& missing) {
  std::string out;
  std::string_view rest = text;
  for (;;) {
    const std::size_t open = rest.find("${");
    const std::size_t close = open == std::string_view::npos ? open : rest.find('}', open);
    if (close == std::string_view::npos) break;
    missing = rest.substr(open + 2, close - open - 2);
    const char* value = std::getenv(missing.c_str());
    if (value == nullptr) return false;
    out.append(rest.substr(0, open)).append(value);
    rest.remove_prefix(close + 1);
  }
  text = out.append(rest);
  return true;
}

/// The content of a file without the line break at its end. False: errno says why not.
bool read_line(const std::string& path, std::string& line) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  if (file == nullptr) return false;
  line.resize(longest_key);
  line.resize(std::fread(line.data(), 1, line.size(), file.get()));
  if (std::ferror(file.get()) != 0) return line.clear(), false;
  if (line.ends_with('\n')) line.pop_back();
  if (line.ends_with('\r')) line.pop_back();
  return true;
}

void key_from_file(NodeConfig& node, const std::string& key, ConfigFault& fault) {
  if (!node.api_key.empty()) return fault.note(key, "is given beside api_key; one is enough");
  const std::string named = fmt::format("the file \"{}\"", node.api_key_file);
  if (!read_line(node.api_key_file, node.api_key)) {
    return fault.note(key, fmt::format("{} cannot be read: {}", named, std::strerror(errno)));
  }
  if (node.api_key.empty()) fault.note(key, named + " is empty");
  if (node.api_key.size() >= longest_key - 1) fault.note(key, named + " is too long for a key");
  if (has_control(node.api_key)) fault.note(key, named + " holds more than one line");
  node.api_key_file.clear();  // so that preparing once more changes nothing
}

}  // namespace

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

void expand(std::string& text, const std::string& key, ConfigFault& fault) {
  std::string missing;
  if (!put_in_variables(text, missing)) {
    fault.note(key, fmt::format("the environment variable {} is not set", missing));
  }
  if (has_control(text)) fault.note(key, "holds a line break or another control character");
}

void prepare_keys(NodeConfig& node, const std::string& path, ConfigFault& fault) {
  expand(node.api_key, path + ".api_key", fault);
  expand(node.api_key_file, path + ".api_key_file", fault);
  if (!node.api_key_file.empty()) key_from_file(node, path + ".api_key_file", fault);
  const auto first = node.api_keys.begin();
  for (auto key = first; key != node.api_keys.end(); ++key) {
    const std::string place = fmt::format("{}.api_keys[{}]", path, key - first);
    expand(*key, place, fault);
    if (key->empty()) fault.note(place, "is empty");
    if (*key == node.api_key || std::find(first, key, *key) != key) {
      fault.note(place, "is the same key as one before it");
    }
  }
  if (node.key_count() > 1 && node.headers.find("authorization")) {
    fault.note(path + ".api_keys", "are never sent: headers has an Authorization already");
  }
}

}  // namespace llmroute::detail
