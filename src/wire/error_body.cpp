#include <algorithm>
#include <array>
#include <cctype>
#include <llmroute/wire/error_body.hpp>
#include <llmroute/wire/json_text.hpp>

#include "wire/padded.hpp"

namespace llmroute::wire {

namespace {

namespace od = simdjson::ondemand;
using Kind = ErrorBody::Kind;

/// A string, or a number as text (`code` is an int in vLLM and llama.cpp).
std::string scalar(od::value value) {
  std::string_view text;
  std::int64_t number = 0;
  if (!value.get_string().get(text)) return std::string(text);
  if (!value.get_int64().get(number)) return std::to_string(number);
  return {};
}

void read_fields(od::object object, ErrorBody& out) {
  for (auto field : object) {
    std::string_view key;
    od::value value;
    if (field.unescaped_key().get(key) || field.value().get(value)) return;
    if (key == "message") out.message = scalar(value);
    if (key == "type") out.type = scalar(value);
    if (key == "code") out.code = scalar(value);
  }
}

bool has(std::string_view text, std::string_view word) {
  return std::search(text.begin(), text.end(), word.begin(), word.end(), [](char a, char b) {
           return std::tolower(static_cast<unsigned char>(a)) == b;
         }) != text.end();
}

/// The words the engines and providers use, lower case.
struct Sign {
  Kind kind;
  std::string_view word;
};
constexpr std::array signs{
    Sign{Kind::context_length, "context_length_exceeded"},
    Sign{Kind::context_length, "exceed_context_size"},
    Sign{Kind::context_length, "maximum context length"},
    Sign{Kind::context_length, "available context size"},
    Sign{Kind::content_filter, "content_filter"},
    Sign{Kind::content_filter, "content_policy"},
    Sign{Kind::quota, "insufficient_quota"},
    Sign{Kind::model_not_found, "model_not_found"},
};

Kind kind_of(int status, const ErrorBody& said) {
  for (const Sign& sign : signs) {
    if (has(said.code, sign.word) || has(said.type, sign.word)) return sign.kind;
    if (status < 500 && has(said.message, sign.word)) return sign.kind;
  }
  if (status == 404 && has(said.message, "model")) return Kind::model_not_found;
  if (status == 402) return Kind::quota;
  if (status == 401 || status == 403) return Kind::auth;
  return Kind::other;
}

/// Whether the letters in front of `at` are no word's but a JSON string's escape.
bool follows_escape(std::string_view text, std::size_t at) noexcept {
  constexpr std::string_view letters = "bfnrt";
  const bool short_one =
      at >= 2 && text[at - 2] == '\\' && letters.find(text[at - 1]) != letters.npos;
  return short_one || (at >= 6 && text[at - 6] == '\\' && text[at - 5] == 'u');
}

}  // namespace

ErrorBody read_error_body(int http_status, std::string_view body) {
  ErrorBody out;
  const simdjson::padded_string_view text = padded(body);
  od::document document;
  od::object object;
  if (!iterate(text).get(document) && !document.get_object().get(object)) {
    for (auto field : object) {
      std::string_view key;
      od::value value;
      if (field.unescaped_key().get(key) || field.value().get(value)) break;
      od::object inner;
      if (key == "error" && !value.get_object().get(inner)) {
        read_fields(inner, out);
      } else if (key == "error" || key == "message" || key == "detail") {
        if (std::string said = scalar(value); !said.empty()) out.message = std::move(said);
      }
    }
  }
  out.kind = kind_of(http_status, out);
  return out;
}

std::string error_json(std::string_view message, std::string_view type, std::string_view param,
                       std::string_view code) {
  std::string out = R"({"error":{"message":)";
  out += json_quote(message);
  out += R"(,"type":)";
  out += json_quote(type);
  out += R"(,"param":)";
  out += param.empty() ? "null" : json_quote(param);
  out += R"(,"code":)";
  out += code.empty() ? "null" : json_quote(code);
  out += "}}";
  return out;
}

std::string error_json(const Error& error) {
  const ErrorTraits& row = traits(error.code);
  return error_json(redacted(error.message), row.openai_type, error.param, row.openai_code);
}

std::string redacted(std::string_view text) {
  constexpr std::array<std::string_view, 3> marks{"sk-", "ml-", "Bearer "};
  constexpr std::string_view in_any = "-_*.";
  constexpr std::string_view in_bearer = "-_*.~+/=";  // RFC 6750, section 2.1
  const auto in_key = [&](char c, std::string_view others) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || others.find(c) != others.npos;
  };
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t end = at;
    for (const std::string_view mark : marks) {
      const bool begins = at == 0 || !in_key(text[at - 1], in_any) || follows_escape(text, at);
      if (!begins || text.substr(at, mark.size()) != mark) continue;
      end = at + mark.size();
      const std::string_view others = mark.back() == ' ' ? in_bearer : in_any;
      while (end < text.size() && in_key(text[end], others)) ++end;
      if (end - at < mark.size() + 8) end = at;  // too short for a key: a word
      break;
    }
    if (end > at) {
      out += "[redacted]";
      at = end;
    } else {
      out += text[at++];
    }
  }
  return out;
}

}  // namespace llmroute::wire
