#include "question.hpp"

#include <simdjson.h>

#include <algorithm>
#include <optional>

#include "prompt.hpp"

namespace mock {

namespace {

using llmroute::Error;
using llmroute::ErrorCode;
using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

constexpr int usual_length = 24;
constexpr std::int64_t usual_completion = 16;  // vLLM's, for completions that name no max_tokens

bool flag(simdjson::simdjson_result<element> field) {
  bool value = false;
  return !field.get(value) && value;
}

std::optional<std::int64_t> number(object request, const char* field, std::int64_t most) {
  std::int64_t value = 0;
  if (request[field].get(value)) return std::nullopt;
  return std::clamp<std::int64_t>(value, 1, most);
}

/// 0: not given.
std::size_t max_tokens(Kind kind, object request) {
  constexpr std::int64_t most = 100'000;
  if (const auto asked = number(request, "max_completion_tokens", most))
    return static_cast<std::size_t>(*asked);
  if (const auto asked = number(request, "max_tokens", most))
    return static_cast<std::size_t>(*asked);
  const bool named = !request["max_tokens"].error();
  return kind == Kind::completion && !named ? usual_completion : 0;
}

std::vector<std::string> stops(object request) {
  std::string_view one;
  array several;
  std::vector<std::string> out;
  if (!request["stop"].get(one)) out.emplace_back(one);
  if (!request["stop"].get(several)) {
    for (element each : several)
      if (!each.get(one)) out.emplace_back(one);
  }
  return out;
}

/// How long answers are that nothing cuts: as the node is told; else as long as is asked for.
int length(object request, const Habits& habits, std::size_t most) {
  if (flag(request["ignore_eos"])) return most > 0 ? 0 : usual_length;
  if (habits.answer_tokens > 0) return habits.answer_tokens;
  const bool asked = !request["max_tokens"].error() || !request["max_completion_tokens"].error();
  return asked && most > 0 ? 0 : usual_length;
}

void answer(Question& q, object request, const Habits& habits) {
  const std::size_t most = max_tokens(q.kind, request);
  const Spelling spelling{.parts = q.kind == Kind::chat,
                          .stops = stops(request),
                          .keep_stop = flag(request["include_stop_str_in_output"])};
  Manner manner{.thinking = q.model.find("think") != std::string::npos,
                .length = length(request, habits, most)};
  for (const Ids& prompt : q.prompts) {
    for (manner.choice = 0; manner.choice < q.choices; ++manner.choice)
      q.answers.push_back(spell(go_on(prompt, manner, most), spelling));
  }
}

llmroute::Result<std::vector<Ids>> prompts(Kind kind, object request) {
  element prompt;
  if (kind != Kind::chat) {
    const char* field = kind == Kind::completion ? "prompt" : "input";
    if (request[field].get(prompt)) return missing(field);
    return completion_prompts(prompt);
  }
  llmroute::Result<Ids> conversation = chat_prompt(request);
  if (!conversation) return conversation.error();
  return std::vector<Ids>{std::move(*conversation)};
}

}  // namespace

int Question::prompt_tokens() const noexcept {
  std::size_t out = 0;
  for (const Ids& prompt : prompts) out += prompt.size();
  return std::max(1, static_cast<int>(out));
}

int Question::output_tokens() const noexcept {
  std::size_t out = 0;
  for (const Answer& answer : answers) out += answer.tokens();
  return static_cast<int>(out);
}

std::size_t Question::steps() const noexcept {
  std::size_t out = 0;
  for (const Answer& answer : answers) out = std::max(out, answer.pieces.size());
  return out;
}

llmroute::Result<Question> read_question(Kind kind, std::string_view body, const Habits& habits) {
  static thread_local simdjson::dom::parser parser;
  element root;
  object request;
  if (parser.parse(body.data(), body.size()).get(root) || root.get_object().get(request)) {
    return Error{.code = ErrorCode::invalid_argument, .message = "the body is not a JSON object"};
  }
  llmroute::Result<std::vector<Ids>> asked = prompts(kind, request);
  if (!asked) return asked.error();
  std::string_view model;
  if (request["model"].get(model)) model = habits.model;
  Question q{.kind = kind, .model = std::string(model), .prompts = std::move(*asked)};
  q.choices = static_cast<int>(number(request, "n", 16).value_or(1));
  q.stream = flag(request["stream"]);
  q.include_usage = flag(request["stream_options"]["include_usage"]);
  q.continuous_usage = flag(request["stream_options"]["continuous_usage_stats"]);
  q.return_token_ids = flag(request["return_token_ids"]);
  q.reasoning_field = habits.reasoning_field;
  if (kind != Kind::embedding) answer(q, request, habits);
  return q;
}

}  // namespace mock
