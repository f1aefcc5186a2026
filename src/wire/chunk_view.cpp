#include <algorithm>
#include <llmroute/wire/chunk_view.hpp>
#include <llmroute/wire/json_text.hpp>

#include "wire/fields.hpp"
#include "wire/padded.hpp"
#include "wire/usage.hpp"

namespace llmroute::wire {

namespace {

namespace od = simdjson::ondemand;

/// Walks one chunk. `base` is the padded copy the parser sees; offsets into it are offsets into the
/// caller's data.
class ChunkReader {
 public:
  ChunkReader(const char* base, std::string_view data) : base_(base), data_(data) {}

  bool read(od::object object);
  ChunkView view{};

 private:
  bool read_choice(od::object choice);
  bool read_delta(od::object delta, std::string_view& text);
  Span array_at(od::value& value) const;
  Span member_around(std::string_view json) const;
  std::string_view string_at(std::string_view raw) const {
    return data_.substr(static_cast<std::size_t>(raw.data() - base_), raw.size());
  }

  const char* base_;
  std::string_view data_;
  bool choices_empty_ = true;
};

/// A JSON string's token with its quotes, without what follows it.
std::string_view quoted(od::value& value) {
  std::string_view token = value.raw_json_token();
  while (!token.empty() && token.back() != '"') token.remove_suffix(1);
  return token;
}

bool non_empty_string(od::value& value, std::string_view& token) {
  od::json_type type{};
  if (value.type().get(type) || type != od::json_type::string) return false;
  token = quoted(value);
  return token.size() > 2;
}

/// Fields of a delta or message that a caller waits for.
bool is_content_field(std::string_view key) {
  return key == "content" || key == "reasoning_content" || key == "reasoning" || key == "refusal";
}

bool has_items(od::value& value) {
  od::array array;
  bool empty = true;
  return !value.get_array().get(array) && !array.is_empty().get(empty) && !empty;
}

Span ChunkReader::array_at(od::value& value) const {
  od::array array;
  std::string_view json;
  if (value.get_array().get(array) || array.raw_json().get(json)) return {};
  return {static_cast<std::size_t>(json.data() - base_), json.size()};
}

/// The member whose value this is, with the comma before it or, when it is the first, behind it.
Span ChunkReader::member_around(std::string_view json) const {
  constexpr std::string_view space = " \t\r\n";
  while (json.back() != '}') json.remove_suffix(1);  // simdjson's goes on to the next token
  const auto value_at = static_cast<std::size_t>(json.data() - base_);
  std::size_t end = value_at + json.size();
  const std::size_t key_end = data_.rfind('"', value_at - 1);
  const std::size_t key_at = data_.rfind('"', key_end - 1);
  const std::size_t before = data_.find_last_not_of(space, key_at - 1);
  if (data_[before] == ',') return {before, end - before};
  end = data_.find_first_not_of(space, end);
  return {key_at, end - key_at + (data_[end] == ',' ? 1 : 0)};
}

bool ChunkReader::read_delta(od::object delta, std::string_view& text) {
  for (auto field : delta) {
    std::string_view key;
    od::value value;
    if (field.unescaped_key().get(key) || field.value().get(value)) return false;
    std::string_view token;
    if (is_content_field(key)) {
      if (!non_empty_string(value, token)) continue;
      view.has_content = true;
      if (key == "content") {
        text = string_at(token.substr(1, token.size() - 2));
      } else {
        view.text_only = false;
      }
    } else if (key == "tool_calls") {
      if (has_items(value)) view.has_content = true, view.text_only = false;
    } else if (key == "function_call" || key == "audio") {
      if (!is_null(value)) view.has_content = true, view.text_only = false;
    }
  }
  return true;
}

bool ChunkReader::read_choice(od::object choice) {
  std::int64_t index = 0;
  bool finished = false;
  std::string_view text;
  for (auto field : choice) {
    std::string_view key;
    od::value value;
    if (field.unescaped_key().get(key) || field.value().get(value)) return false;
    if (key == "index") {
      if (value.get_int64().get(index)) index = 0;
    } else if (key == "finish_reason") {
      std::string_view token;
      finished = non_empty_string(value, token);
    } else if (key == "delta" || key == "message") {
      od::object delta;
      if (!value.get_object().get(delta) && !read_delta(delta, text)) return false;
    } else if (key == "text") {
      std::string_view token;
      if (non_empty_string(value, token)) {
        view.has_content = true;
        text = string_at(token.substr(1, token.size() - 2));
      }
    } else if (key == "token_ids") {
      const Span ids = array_at(value);
      if (ids.length != 0) view.token_ids_at = ids;
    } else if (key == "prompt_token_ids") {
      const Span ids = array_at(value);
      if (ids.length != 0) view.prompt_token_ids_at = ids;
    }
  }
  const std::uint64_t bit = std::uint64_t{1} << std::clamp<std::int64_t>(index, 0, 63);
  view.seen_choices |= bit;
  if (finished) view.finished_choices |= bit;
  if (index == 0) {
    view.text = text;
  } else if (!text.empty()) {
    view.text_only = false;
  }
  return true;
}

bool ChunkReader::read(od::object object) {
  for (auto field : object) {
    std::string_view key;
    od::value value;
    if (field.unescaped_key().get(key) || field.value().get(value)) return false;
    if (key == "choices") {
      od::array choices;
      if (value.get_array().get(choices)) continue;
      for (auto item : choices) {
        od::object choice;
        if (item.get_object().get(choice) || !read_choice(choice)) return false;
        choices_empty_ = false;
      }
    } else if (key == "model") {
      std::string_view token;
      if (!non_empty_string(value, token)) continue;
      view.model_offset = static_cast<std::size_t>(token.data() - base_);
      view.model_length = token.size();
    } else if (key == "usage") {
      od::object usage;
      std::string_view json;
      if (is_null(value) || value.get_object().get(usage) || usage.raw_json().get(json)) continue;
      view.usage_at = member_around(json);
      usage.reset();
      view.usage = read_usage(usage);
      view.has_usage = true;
    } else if (key == "prompt_token_ids") {
      const Span ids = array_at(value);
      if (ids.length != 0) view.prompt_token_ids_at = ids;
    } else if (key == "error") {
      view.is_error = !is_null(value);
    }
  }
  view.usage_only = choices_empty_ && view.has_usage;
  return true;
}

}  // namespace

ChunkView read_chunk(std::string_view data) {
  const simdjson::padded_string_view text = padded(data);
  od::document document;
  od::object object;
  if (iterate(text).get(document) || document.get_object().get(object)) return {};
  ChunkReader reader(text.data(), data);
  reader.view.json_ok = reader.read(object) && ends_here(document);
  return reader.view;
}

void append_text(std::string& out, const ChunkView& chunk) { append_unescaped(out, chunk.text); }

}  // namespace llmroute::wire
