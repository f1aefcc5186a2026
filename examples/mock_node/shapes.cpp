#include "shapes.hpp"

#include <fmt/format.h>

#include <ctime>
#include <iterator>
#include <llmroute/core/rng.hpp>
#include <llmroute/wire/json_text.hpp>

namespace mock {

namespace {

using llmroute::wire::json_quote;

std::string_view object_name(Kind kind, bool stream) noexcept {
  if (kind == Kind::completion) return "text_completion";
  return stream ? "chat.completion.chunk" : "chat.completion";
}

std::string usage(const Question& q, int out) {
  return fmt::format(R"({{"prompt_tokens":{},"total_tokens":{},"completion_tokens":{}}})",
                     q.prompt_tokens(), q.prompt_tokens() + out, out);
}

std::string outside(const Question& q, std::string_view id, bool stream) {
  return fmt::format(R"("id":"{}","object":"{}","created":{},"model":{})", id,
                     object_name(q.kind, stream), std::time(nullptr), json_quote(q.model));
}

/// `so_far`: tokens given out with it and before.
std::string event(const Question& q, std::string_view id, std::string_view choices, int so_far,
                  std::string_view more = {}) {
  const std::string used = q.continuous_usage ? fmt::format(",\"usage\":{}", usage(q, so_far)) : "";
  return fmt::format("data: {{{},\"choices\":[{}]{}{}}}\n\n", outside(q, id, true), choices, used,
                     more);
}

std::string ids_or_null(const Question& q, const Ids& ids) {
  return q.return_token_ids ? json_ids(ids) : "null";
}

/// finish_reason, and with it what text stopped the answer.
std::string ending(const Answer& answer) {
  return fmt::format(R"("finish_reason":"{}","stop_reason":{})", answer.finish_reason,
                     answer.stop_reason ? json_quote(*answer.stop_reason) : "null");
}

/// The same in whichever node answers.
std::string call_id(const Question& q, std::size_t choice) {
  std::uint64_t seed = choice;
  for (const int token : q.prompts.front()) seed = seed * 31 + static_cast<std::uint64_t>(token);
  return fmt::format("chatcmpl-tool-{:016x}", llmroute::Rng(seed)());
}

std::string call(const Question& q, std::size_t choice) {
  const Answer& answer = q.answers[choice];
  return fmt::format(R"({{"id":"{}","type":"function","function":{{"name":{},"arguments":{}}}}})",
                     call_id(q, choice), json_quote(answer.text(Part::call_name)),
                     json_quote(answer.text(Part::call_arguments)));
}

std::string message(const Question& q, std::size_t choice) {
  const Answer& answer = q.answers[choice];
  const bool calls = !answer.text(Part::call_name).empty();
  const std::string thought = answer.text(Part::reasoning);
  std::string out = fmt::format(
      R"({{"role":"assistant","content":{},"refusal":null,"annotations":null,"audio":null,"function_call":null)",
      calls ? "null" : json_quote(answer.text(Part::content)));
  if (calls) out += fmt::format(R"(,"tool_calls":[{}])", call(q, choice));
  return out + fmt::format(R"(,"{}":{}}})", q.reasoning_field,
                           thought.empty() ? "null" : json_quote(thought));
}

std::string delta(const Question& q, std::size_t choice, const Piece& piece) {
  const std::string text = json_quote(piece.text);
  switch (piece.part) {
    case Part::reasoning:
      return fmt::format(R"({{"{}":{}}})", q.reasoning_field, text);
    case Part::call_name:
      return fmt::format(
          R"({{"tool_calls":[{{"id":"{}","type":"function","index":0,"function":{{"name":{}}}}}]}})",
          call_id(q, choice), text);
    case Part::call_arguments:
      return fmt::format(R"({{"tool_calls":[{{"index":0,"function":{{"arguments":{}}}}}]}})", text);
    case Part::content:
      break;
  }
  return fmt::format(R"({{"content":{}}})", text);
}

const Ids& prompt_of(const Question& q, std::size_t choice) {
  return q.prompts[choice / static_cast<std::size_t>(q.choices)];
}

std::string plain_choice(const Question& q, std::size_t i) {
  const Answer& answer = q.answers[i];
  const std::string ids = ids_or_null(q, answer.ids());
  if (q.kind == Kind::chat) {
    return fmt::format(R"({{"index":{},"message":{},"logprobs":null,{},"token_ids":{}}})", i,
                       message(q, i), ending(answer), ids);
  }
  return fmt::format(
      R"({{"index":{},"text":{},"logprobs":null,{},"token_ids":{},"prompt_logprobs":null,"prompt_token_ids":{}}})",
      i, json_quote(answer.text(Part::content)), ending(answer), ids,
      ids_or_null(q, prompt_of(q, i)));
}

std::string streamed_choice(const Question& q, std::size_t i, std::size_t n) {
  const Answer& answer = q.answers[i];
  const Piece& piece = answer.pieces[n];
  const bool last = n + 1 == answer.pieces.size();
  const std::string ids = ids_or_null(q, piece.ids);
  if (q.kind == Kind::chat) {
    return fmt::format(R"({{"index":{},"delta":{},"logprobs":null,{},"token_ids":{}}})", i,
                       delta(q, i, piece), last ? ending(answer) : R"("finish_reason":null)", ids);
  }
  return fmt::format(
      R"({{"index":{},"text":{},"logprobs":null,{},"prompt_token_ids":{},"token_ids":{}}})", i,
      json_quote(piece.text), last ? ending(answer) : R"("finish_reason":null,"stop_reason":null)",
      n == 0 ? ids_or_null(q, prompt_of(q, i)) : "null", ids);
}

}  // namespace

std::string plain_answer(const Question& question, std::string_view id) {
  std::string choices;
  for (std::size_t i = 0; i < question.answers.size(); ++i)
    choices += fmt::format("{}{}", i == 0 ? "" : ",", plain_choice(question, i));
  const std::string prompt =
      question.kind == Kind::chat
          ? fmt::format(R"(,"prompt_logprobs":null,"prompt_token_ids":{},"prompt_text":null)",
                        ids_or_null(question, question.prompts.front()))
          : "";
  return fmt::format(R"({{{},"choices":[{}],"usage":{}{}}})", outside(question, id, false), choices,
                     usage(question, question.output_tokens()), prompt);
}

std::string embedding_answer(const Question& question, int dimension) {
  std::string data;
  for (std::size_t i = 0; i < question.prompts.size(); ++i) {
    std::uint64_t seed = 0;
    for (const int token : question.prompts[i])
      seed = llmroute::Rng(seed + static_cast<std::uint64_t>(token))();
    llmroute::Rng rng(seed);
    data +=
        fmt::format(R"({}{{"object":"embedding","index":{},"embedding":[)", i == 0 ? "" : ",", i);
    for (int d = 0; d < dimension; ++d) {
      fmt::format_to(std::back_inserter(data), "{}{:.6f}", d == 0 ? "" : ",", rng.unit() * 2 - 1);
    }
    data += "]}";
  }
  return fmt::format(R"({{"object":"list","model":{},"data":[{}],"usage":{}}})",
                     json_quote(question.model), data, usage(question, 0));
}

std::string role_events(const Question& question, std::string_view id) {
  std::string out;
  const std::string prompt = fmt::format(R"(,"prompt_token_ids":{},"prompt_text":null)",
                                         ids_or_null(question, question.prompts.front()));
  for (std::size_t i = 0; i < question.answers.size(); ++i) {
    const std::string choice = fmt::format(
        R"({{"index":{},"delta":{{"role":"assistant","content":""}},"logprobs":null,"finish_reason":null}})",
        i);
    out += event(question, id, choice, 0, prompt);
  }
  return out;
}

std::string piece_events(const Question& question, std::string_view id, std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < question.answers.size(); ++i) {
    const Answer& answer = question.answers[i];
    if (n >= answer.pieces.size()) continue;
    std::size_t so_far = 0;
    if (question.continuous_usage)
      for (std::size_t k = 0; k <= n; ++k) so_far += answer.pieces[k].ids.size();
    out += event(question, id, streamed_choice(question, i, n), static_cast<int>(so_far));
  }
  return out;
}

std::string usage_event(const Question& question, std::string_view id) {
  const int out = question.output_tokens();
  return fmt::format(
      "data: {{{},\"choices\":[],\"usage\":{},\"system_fingerprint\":\"vllm-mock\"}}\n\n",
      outside(question, id, true), usage(question, out));
}

std::string error_body(std::string_view message, std::string_view type, std::string_view param,
                       int status) {
  return fmt::format(R"({{"error":{{"message":{},"type":{},"param":{},"code":{}}}}})",
                     json_quote(message), json_quote(type),
                     param.empty() ? "null" : json_quote(param), status);
}

std::string json_ids(const Ids& ids) { return fmt::format("[{}]", fmt::join(ids, ",")); }

}  // namespace mock
