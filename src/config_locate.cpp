#include "config_locate.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace llmroute::detail {

namespace {

/// Walks valid JSON and remembers the last key on the way to the one wanted.
class Walk {
 public:
  Walk(std::string_view json, std::string_view wanted) : json_(json), wanted_(wanted) {}

  std::size_t find() {
    value("");
    return best_;
  }

 private:
  void blanks() { at_ = std::min(json_.find_first_not_of(" \t\r\n", at_), json_.size()); }

  std::string_view string() {
    const std::size_t begin = ++at_;
    while (at_ < json_.size() && json_[at_] != '"') at_ += json_[at_] == '\\' ? 2 : 1;
    return json_.substr(begin, at_++ - begin);
  }

  void value(const std::string& path) {
    blanks();
    if (at_ >= json_.size()) return;
    if (json_[at_] == '{') return object(path);
    if (json_[at_] == '[') return array(path);
    if (json_[at_] == '"') return static_cast<void>(string());
    at_ = std::min(json_.find_first_of(",]}", at_), json_.size());
  }

  void object(const std::string& path) {
    ++at_;
    for (blanks(); at_ < json_.size() && json_[at_] == '"'; blanks()) {
      const std::size_t key_at = at_;
      const std::string key(string());
      std::string here = path;
      if (!here.empty()) here += '.';
      here += key;
      if (on_the_way(here)) best_ = key_at;
      at_ = std::min(json_.find(':', at_), json_.size() - 1) + 1;
      value(here);
      blanks();
      if (at_ < json_.size() && json_[at_] == ',') ++at_;
    }
    ++at_;
  }

  void array(const std::string& path) {
    ++at_;
    std::size_t index = 0;
    for (blanks(); at_ < json_.size() && json_[at_] != ']'; blanks()) {
      std::string here = path;
      here.append("[").append(std::to_string(index++)).append("]");
      if (on_the_way(here)) best_ = at_;
      value(here);
      blanks();
      if (at_ < json_.size() && json_[at_] == ',') ++at_;
    }
    ++at_;
  }

  /// Whether what is wanted is this or lies in it.
  bool on_the_way(std::string_view here) const {
    if (wanted_.substr(0, here.size()) != here) return false;
    return wanted_.size() == here.size() || wanted_[here.size()] == '.' ||
           wanted_[here.size()] == '[';
  }

  std::string_view json_;
  std::string_view wanted_;
  std::size_t at_ = 0;
  std::size_t best_ = 0;
};

}  // namespace

int line_of(std::string_view json, std::string_view path) {
  const std::size_t at = std::min(Walk(json, path).find(), json.size());
  return 1 + static_cast<int>(std::count(json.begin(), json.begin() + static_cast<long>(at), '\n'));
}

}  // namespace llmroute::detail
