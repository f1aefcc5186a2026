/// The one place that knows yaml-cpp. Its events are used and not its nodes: those keep both of two
/// equal keys, and share what an alias names, so that a walk over them may never end.
#include "yaml_source.hpp"

#include <fmt/format.h>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <sstream>

#include "utf8.hpp"
#include "yaml_scalar.hpp"

namespace gateway {
namespace {

using llmroute::Error;
using llmroute::ErrorCode;
using llmroute::Result;

constexpr std::size_t most_levels = 64;
constexpr std::size_t most_bytes = 8 << 20;  // of all values, aliases expanded: far above any file
constexpr std::string_view core_tags = "tag:yaml.org,2002:";

/// What ends the reading: thrown through the parser, which knows exceptions only.
struct Fault {
  std::string message;
};

std::string place_of(std::string_view file, const YAML::Mark& mark) {
  return mark.is_null() ? std::string(file) : fmt::format("{}:{}", file, mark.line + 1);
}

/// About what it takes in memory.
std::size_t size_of(const Setting& setting) {
  std::size_t size = sizeof(Setting) + setting.place.size();
  for (const Setting::Member& member : setting.table()) {
    size += member.name.size() + size_of(member.setting);
  }
  if (const auto* array = std::get_if<Setting::Array>(&setting.value)) {
    for (const Setting& element : *array) size += size_of(element);
  }
  if (const auto* text = std::get_if<std::string>(&setting.value)) size += text->size();
  return size;
}

class Builder final : public YAML::EventHandler {
 public:
  Builder(std::string_view file, const Expand& expand) : file_(file), expand_(expand) {}

  std::optional<Setting> root{};

  // Of what it cannot place, a comma say, yaml-cpp makes one empty document after the other.
  void OnDocumentStart(const YAML::Mark& mark) override {
    if (begun_) fail(mark, "", "a second document begins; one is all there may be");
    begun_ = true;
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    if (at_key()) fail(mark, path(), "holds a key without a name");
    if (!open_.empty() && in_list()) fail(mark, path(), "holds an entry without a value");
    if (!open_.empty()) open_.back().key.reset();
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (at_key()) fail(mark, path(), "takes no alias for a key");
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) fail(mark, path(), "holds an alias for what it is part of");
    count(mark, size_of(found->second));
    Setting copy = found->second;
    put(std::move(copy), YAML::NullAnchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    count(mark, sizeof(Setting) + text.size());
    if (at_key()) return take_key(mark, text);
    std::optional<Setting> setting = scalar(mark, tag, text);
    if (setting) return put(std::move(*setting), anchor);
    OnNull(mark, anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin(mark, tag, anchor, Setting::Array{});
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    begin(mark, tag, anchor, Setting::Table{});
  }
  void OnMapEnd() override { end(); }

 private:
  /// A table or a list that has not ended, and of a table the key whose value comes next.
  struct Open {
    Setting setting;
    YAML::anchor_t anchor;
    std::optional<std::string> key{};
    std::string key_place{};
    std::map<std::string, std::string> seen{};  ///< keys and their places
  };

  [[noreturn]] void fail(const YAML::Mark& mark, std::string_view key, std::string_view what) {
    throw Fault{at_place(place_of(file_, mark), key, what)};
  }

  void count(const YAML::Mark& mark, std::size_t bytes) {
    bytes_ += bytes;
    if (bytes_ > most_bytes) fail(mark, path(), "is too large, aliases expanded");
  }

  bool in_list() const {
    return std::holds_alternative<Setting::Array>(open_.back().setting.value);
  }
  bool at_key() const { return !open_.empty() && !in_list() && !open_.back().key; }

  /// Where the next value stands: "nodes[1].url".
  std::string path() const {
    std::string path;
    for (const Open& open : open_) {
      if (const auto* list = std::get_if<Setting::Array>(&open.setting.value)) {
        path += fmt::format("[{}]", list->size());
      } else if (open.key) {
        path += (path.empty() ? "" : ".") + *open.key;
      }
    }
    return path;
  }

  void take_key(const YAML::Mark& mark, const std::string& name) {
    Open& table = open_.back();
    const auto [first, fresh] = table.seen.emplace(name, place_of(file_, mark));
    table.key = name;
    table.key_place = place_of(file_, mark);
    if (!fresh) fail(mark, path(), fmt::format("given twice; first at {}", first->second));
  }

  /// None for null.
  std::optional<Setting> scalar(const YAML::Mark& mark, const std::string& tag, std::string text) {
    const bool quoted = tag == "!" || tag == fmt::format("{}str", core_tags);
    if (!quoted && tag != "?" && !tag.starts_with(core_tags)) fail(mark, path(), "takes no tag");
    if (expand_) {
      Result<std::string> expanded = expand_(path(), std::move(text));
      if (!expanded) fail(mark, path(), expanded.error().message);
      text = std::move(*expanded);
    }
    Setting setting{.place = place_of(file_, mark)};
    if (quoted) {
      setting.value = std::move(text);
      return setting;
    }
    if (is_yaml_null(text)) return std::nullopt;
    auto value = yaml_scalar(text);
    if (!value) fail(mark, path(), "takes no inf or nan");
    setting.value = std::move(*value);
    return setting;
  }

  void begin(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
             decltype(Setting::value) value) {
    if (at_key()) fail(mark, path(), "takes a text for a key");
    if (open_.size() == most_levels) fail(mark, path(), "is nested too deeply");
    if (!tag.empty() && tag != "?" && !tag.starts_with(core_tags))
      fail(mark, path(), "takes no tag");
    count(mark, sizeof(Setting));
    open_.push_back({{std::move(value), place_of(file_, mark)}, anchor});
  }

  void end() {
    Open done = std::move(open_.back());
    open_.pop_back();
    put(std::move(done.setting), done.anchor);
  }

  void put(Setting setting, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) {
      bytes_ += size_of(setting);  // kept for its aliases
      anchors_.insert_or_assign(anchor, setting);
    }
    if (open_.empty()) {
      root = std::move(setting);
    } else if (auto* list = std::get_if<Setting::Array>(&open_.back().setting.value)) {
      list->push_back(std::move(setting));
    } else {
      Open& table = open_.back();
      setting.place = table.key_place;
      std::get<Setting::Table>(table.setting.value).push_back({*table.key, std::move(setting)});
      table.key.reset();
    }
  }

  std::string_view file_;
  const Expand& expand_;
  std::vector<Open> open_{};
  std::map<YAML::anchor_t, Setting> anchors_{};
  std::size_t bytes_ = 0;
  bool begun_ = false;
};

Error not_yaml(std::string place, std::string_view what) {
  return Error{.code = ErrorCode::invalid_config,
               .message = at_place(place, "", fmt::format("not YAML: {}", what))};
}

}  // namespace

Result<Setting> read_yaml(std::string_view text, std::string_view file, const Expand& expand) try {
  if (const auto line = first_line_not_utf8(text)) {
    return not_yaml(fmt::format("{}:{}", file, *line), "the text is not UTF-8");
  }
  std::istringstream stream{std::string(text)};
  YAML::Parser parser(stream);
  Builder builder(file, expand);
  while (parser.HandleNextDocument(builder)) {
  }
  if (!builder.root) return Setting{.place = std::string(file)};
  if (std::holds_alternative<Setting::Table>(builder.root->value)) return std::move(*builder.root);
  return not_yaml(builder.root->place, "a table of keys is wanted: \"key: value\" lines");
} catch (const Fault& fault) {
  return Error{.code = ErrorCode::invalid_config, .message = fault.message};
} catch (const YAML::Exception& error) {
  return not_yaml(place_of(file, error.mark), error.msg);
}

}  // namespace gateway
