#include "question.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <iterator>
#include <llmroute/core/rng.hpp>
#include <llmroute/wire/json_text.hpp>

namespace mock {

namespace {

using llmroute::Error;
using llmroute::ErrorCode;
using llmroute::wire::json_quote;

constexpr std::array<std::string_view, 16> words{
    "light ", "river ", "stone ",  "cloud ", "green ",  "silver ", "quiet ",  "north ",
    "amber ", "field ", "winter ", "paper ", "bright ", "garden ", "copper ", "early "};

/// FNV-1a: the same on every machine.
std::uint64_t hash(std::string_view text) noexcept {
  std::uint64_t value = 0xcbf29ce484222325;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return value;
}

Error missing(std::string_view field) {
  return {.code = ErrorCode::invalid_argument,
          .message = fmt::format("1 validation error:\n  {{'type': 'missing', 'loc': 'body.{}', "
                                 "'msg': 'Field required'}}",
                                 field),
          .param = fmt::format("body.{}", field)};
}

std::string_view prompt_field(Kind kind) noexcept {
  return kind == Kind::chat ? "messages" : kind == Kind::completion ? "prompt" : "input";
}

std::string_view object_name(Kind kind, bool stream) noexcept {
  if (kind == Kind::completion) return "text_completion";
  return stream ? "chat.completion.chunk" : "chat.completion";
}

std::string usage(const Question& q) {
  const int out = q.kind == Kind::embedding ? 0 : q.output_tokens() * q.choices;
  return fmt::format(R"({{"prompt_tokens":{},"total_tokens":{},"completion_tokens":{}}})",
                     q.prompt_tokens, q.prompt_tokens + out, out);
}

std::string outside(const Question& q, std::string_view id, bool stream) {
  return fmt::format(R"("id":"{}","object":"{}","created":{},"model":{})", id,
                     object_name(q.kind, stream), std::time(nullptr), json_quote(q.model));
}

std::string event(const Question& q, std::string_view id, std::string_view choices,
                  std::string_view more = {}) {
  return fmt::format("data: {{{},\"choices\":[{}]{}}}\n\n", outside(q, id, true), choices, more);
}

}  // namespace

llmroute::Result<Question> read_question(Kind kind, std::string_view body) {
  static thread_local simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::object object;
  if (parser.parse(body.data(), body.size()).get(root) || root.get_object().get(object)) {
    return Error{.code = ErrorCode::invalid_argument, .message = "the body is not a JSON object"};
  }
  Question q;
  q.kind = kind;
  simdjson::dom::element prompt;
  std::string_view model;
  if (object[prompt_field(kind)].get(prompt)) return missing(prompt_field(kind));
  if (!object["model"].get(model)) q.model = model;
  const std::string text = simdjson::minify(prompt);
  q.prompt_hash = hash(text);
  q.prompt_tokens = std::max(1, static_cast<int>(text.size() / 4));
  std::int64_t number = 0;
  for (const char* field : {"max_tokens", "max_completion_tokens"}) {
    if (!object[field].get(number))
      q.max_tokens = static_cast<int>(std::clamp<std::int64_t>(number, 1, 100000));
  }
  if (!object["n"].get(number))
    q.choices = static_cast<int>(std::clamp<std::int64_t>(number, 1, 16));
  simdjson::dom::array inputs;
  std::string_view first;
  if (!prompt.get_array().get(inputs) && !inputs.at(0).get(first))
    q.inputs = static_cast<int>(inputs.size());
  if (object["stream"].get(q.stream)) q.stream = false;
  if (object["stream_options"]["include_usage"].get(q.include_usage)) q.include_usage = false;
  return q;
}

std::string_view word(const Question& question, int choice, int i) {
  const auto at = static_cast<std::uint64_t>(choice) * 1'000'003 + static_cast<std::uint64_t>(i);
  return words[llmroute::Rng(question.prompt_hash + at)() % words.size()];
}

std::string plain_answer(const Question& question, std::string_view id) {
  std::string choices;
  for (int c = 0; c < question.choices; ++c) {
    std::string text;
    for (int i = 0; i < question.output_tokens(); ++i) text += word(question, c, i);
    const std::string inside =
        question.kind == Kind::chat
            ? fmt::format(R"("message":{{"role":"assistant","content":{}}})", json_quote(text))
            : fmt::format(R"("text":{})", json_quote(text));
    choices += fmt::format(R"({}{{"index":{},{},"logprobs":null,"finish_reason":"{}"}})",
                           c == 0 ? "" : ",", c, inside, question.finish_reason());
  }
  return fmt::format(R"({{{},"choices":[{}],"usage":{}}})", outside(question, id, false), choices,
                     usage(question));
}

std::string embedding_answer(const Question& question, int dimension) {
  std::string data;
  for (int i = 0; i < question.inputs; ++i) {
    llmroute::Rng rng(question.prompt_hash + static_cast<std::uint64_t>(i));
    data +=
        fmt::format(R"({}{{"object":"embedding","index":{},"embedding":[)", i == 0 ? "" : ",", i);
    for (int d = 0; d < dimension; ++d) {
      fmt::format_to(std::back_inserter(data), "{}{:.6f}", d == 0 ? "" : ",", rng.unit() * 2 - 1);
    }
    data += "]}";
  }
  return fmt::format(R"({{"object":"list","model":{},"data":[{}],"usage":{}}})",
                     json_quote(question.model), data, usage(question));
}

std::string role_event(const Question& question, std::string_view id) {
  std::string choices;
  for (int c = 0; c < question.choices; ++c) {
    choices += fmt::format(
        R"({}{{"index":{},"delta":{{"role":"assistant","content":""}},"logprobs":null,"finish_reason":null}})",
        c == 0 ? "" : ",", c);
  }
  return event(question, id, choices);
}

std::string word_event(const Question& question, std::string_view id, int choice, int i) {
  const bool last = i + 1 == question.output_tokens();
  const std::string text = json_quote(word(question, choice, i));
  const std::string inside = question.kind == Kind::chat
                                 ? fmt::format(R"("delta":{{"content":{}}})", text)
                                 : fmt::format(R"("text":{})", text);
  return event(
      question, id,
      fmt::format(R"({{"index":{},{},"logprobs":null,"finish_reason":{}}})", choice, inside,
                  last ? fmt::format("\"{}\"", question.finish_reason()) : "null"));
}

std::string usage_event(const Question& question, std::string_view id) {
  return event(question, id, "", fmt::format(R"(,"usage":{})", usage(question)));
}

std::string error_body(std::string_view message, std::string_view type, std::string_view param,
                       int status) {
  return fmt::format(R"({{"error":{{"message":{},"type":{},"param":{},"code":{}}}}})",
                     json_quote(message), json_quote(type),
                     param.empty() ? "null" : json_quote(param), status);
}

}  // namespace mock
