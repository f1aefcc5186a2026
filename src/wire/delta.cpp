#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <llmroute/wire/delta.hpp>
#include <llmroute/wire/json_text.hpp>
#include <llmroute/wire/splice.hpp>

#include "wire/fields.hpp"
#include "wire/padded.hpp"

namespace llmroute::wire {

namespace {

namespace od = simdjson::ondemand;

/// A string's text; empty for null and whatever else it may be.
std::string text_of(od::value& value) {
  std::string_view text;
  od::json_type type{};
  if (value.type().get(type) || type != od::json_type::string || value.get_string().get(text)) {
    return {};
  }
  return std::string(text);
}

void read_fields(od::object object, Delta& delta) {
  for (auto field : object) {
    std::string_view key;
    od::value value;
    if (field.unescaped_key().get(key) || field.value().get(value)) return;
    if (key == "content") {
      delta.content = text_of(value);
    } else if (key == "reasoning_content" || key == "reasoning") {
      const std::string text = text_of(value);
      if (!text.empty()) delta.reasoning = text;  // some servers send both names
    } else if (key == "refusal") {
      delta.refusal = text_of(value);
    } else if (key == "tool_calls") {
      od::array calls;
      bool empty = true;
      if (!value.get_array().get(calls) && !calls.is_empty().get(empty) && !empty) {
        delta.opaque = true;
      }
    } else if (key == "function_call" || key == "audio") {
      if (!is_null(value)) delta.opaque = true;
    }
  }
}

Delta read_choice(od::object choice) {
  Delta delta;
  for (auto field : choice) {
    std::string_view key;
    od::value value;
    if (field.unescaped_key().get(key) || field.value().get(value)) return delta;
    if (key == "index") {
      std::int64_t index = 0;
      if (!value.get_int64().get(index)) delta.index = static_cast<int>(index);
    } else if (key == "finish_reason") {
      delta.finish_reason = text_of(value);
    } else if (key == "text") {
      delta.content = text_of(value);
    } else if (key == "logprobs" || key == "token_ids") {
      if (!is_null(value)) delta.annotated = true;
    } else if (key == "delta") {
      od::object inner;
      if (!value.get_object().get(inner)) read_fields(inner, delta);
    }
  }
  return delta;
}

/// The token's place in the text, without the blanks that raw_json_token takes along.
Span place(const char* base, std::string_view token) {
  const std::size_t last = token.find_last_not_of(" \n\r\t");
  return {static_cast<std::size_t>(token.data() - base), last + 1};
}

/// Where a chunk says who it is.
struct IdentityAt {
  Span id{};
  Span created{};
  Span model{};
};

IdentityAt find_identity(std::string_view data) {
  const simdjson::padded_string_view text = padded(data);
  od::document document;
  od::object object;
  IdentityAt found;
  if (iterate(text).get(document) || document.get_object().get(object)) return found;
  for (auto field : object) {
    std::string_view key;
    od::value value;
    if (field.unescaped_key().get(key) || field.value().get(value)) return found;
    if (key == "id") found.id = place(text.data(), value.raw_json_token());
    if (key == "created") found.created = place(text.data(), value.raw_json_token());
    if (key == "model") found.model = place(text.data(), value.raw_json_token());
  }
  return found;
}

std::string optional_text(std::string_view name, std::string_view text) {
  return text.empty() ? std::string{} : fmt::format("\"{}\":{}", name, json_quote(text));
}

/// `{"id":...,"object":...,"created":...,"model":...` without its end.
std::string opening(const Identity& identity, std::string_view object) {
  std::string text = fmt::format("{{\"object\":\"{}\"", object);
  const auto add = [&](std::string_view name, const std::string& json) {
    if (!json.empty()) text += fmt::format(",\"{}\":{}", name, json);
  };
  add("id", identity.id);
  add("created", identity.created);
  add("model", identity.model);
  return text;
}

std::string fields_of(const Delta& delta) {
  std::string text;
  for (const std::string& field :
       {optional_text("reasoning_content", delta.reasoning),
        optional_text("content", delta.content), optional_text("refusal", delta.refusal)}) {
    if (!text.empty() && !field.empty()) text += ',';
    text += field;
  }
  return text;
}

}  // namespace

std::vector<Delta> read_deltas(std::string_view data) {
  const simdjson::padded_string_view text = padded(data);
  od::document document;
  od::array choices;
  std::vector<Delta> deltas;
  if (iterate(text).get(document) || document["choices"].get_array().get(choices)) {
    return deltas;
  }
  for (auto item : choices) {
    od::object choice;
    if (item.get_object().get(choice)) return {};
    deltas.push_back(read_choice(choice));
  }
  return deltas;
}

Identity read_identity(std::string_view data) {
  const IdentityAt found = find_identity(data);
  const auto text = [&](Span span) { return std::string(data.substr(span.offset, span.length)); };
  return {text(found.id), text(found.created), text(found.model)};
}

std::string with_identity(std::string_view data, const Identity& identity) {
  const IdentityAt found = find_identity(data);
  std::vector<Edit> edits;
  const auto put = [&](Span span, const std::string& json) {
    if (span.length != 0 && !json.empty()) edits.push_back({span.offset, span.length, json});
  };
  put(found.id, identity.id);
  put(found.created, identity.created);
  put(found.model, identity.model);
  return splice(data, std::move(edits));
}

std::string write_chunk(const Identity& identity, std::string_view object, const Delta& delta) {
  const std::string finish = delta.finish_reason.empty() ? "null" : json_quote(delta.finish_reason);
  const std::string body = object == "text_completion"
                               ? fmt::format("\"text\":{}", json_quote(delta.content))
                               : fmt::format("\"delta\":{{{}}}", fields_of(delta));
  return opening(identity, object) +
         fmt::format(",\"choices\":[{{\"index\":{},{},\"logprobs\":null,\"finish_reason\":{}}}]}}",
                     delta.index, body, finish);
}

std::string write_usage_chunk(const Identity& identity, std::string_view object,
                              const Usage& usage) {
  return opening(identity, object) +
         fmt::format(
             ",\"choices\":[],\"usage\":{{\"prompt_tokens\":{},\"total_tokens\":{},"
             "\"completion_tokens\":{}}}}}",
             usage.prompt_tokens, usage.total_tokens, usage.completion_tokens);
}

std::vector<std::uint32_t> read_token_ids(std::string_view json) {
  std::vector<std::uint32_t> ids;
  const char* at = json.data();
  const char* const end = at + json.size();
  while (at != end) {
    if (*at < '0' || *at > '9') {
      ++at;
      continue;
    }
    std::uint32_t id = 0;
    const auto [next, error] = std::from_chars(at, end, id);
    if (error != std::errc{}) return {};
    ids.push_back(id);
    at = next;
  }
  return ids;
}

}  // namespace llmroute::wire
