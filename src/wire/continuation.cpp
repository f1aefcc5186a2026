#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <llmroute/wire/continuation.hpp>
#include <llmroute/wire/json_text.hpp>

#include "wire/fields.hpp"
#include "wire/padded.hpp"

namespace llmroute::wire {

namespace {

namespace od = simdjson::ondemand;

/// What a field of the request means for asking again with token ids.
enum class Kept {
  along,    // sampling that needs nothing but the next token's scores
  dropped,  // about the prompt, which is tokens by then, or written anew
  neutral,  // along, as long as it has the value that changes nothing
  empty     // dropped, as long as it is empty
};

struct Rule {
  std::string_view key;
  Kept kept;
  double neutral = 0;
};

/// A field that is not here may mean anything, and rules token ids out.
constexpr auto rules = std::to_array<Rule>({
    {"temperature", Kept::along},
    {"top_p", Kept::along},
    {"top_k", Kept::along},
    {"min_p", Kept::along},
    {"logit_bias", Kept::along},
    {"allowed_token_ids", Kept::along},
    {"stop_token_ids", Kept::along},
    {"ignore_eos", Kept::along},
    {"skip_special_tokens", Kept::along},
    {"priority", Kept::along},
    {"cache_salt", Kept::along},
    {"user", Kept::along},
    {"frequency_penalty", Kept::neutral, 0},
    {"presence_penalty", Kept::neutral, 0},
    {"repetition_penalty", Kept::neutral, 1},
    {"min_tokens", Kept::neutral, 0},
    {"n", Kept::neutral, 1},
    {"best_of", Kept::neutral, 1},
    {"top_logprobs", Kept::neutral, 0},
    {"stop", Kept::empty},
    {"tools", Kept::empty},
    {"functions", Kept::empty},
    {"bad_words", Kept::empty},
    {"logprobs", Kept::empty},
    {"echo", Kept::empty},
    {"suffix", Kept::empty},
    {"model", Kept::dropped},
    {"messages", Kept::dropped},
    {"prompt", Kept::dropped},
    {"stream", Kept::dropped},
    {"stream_options", Kept::dropped},
    {"max_tokens", Kept::dropped},
    {"max_completion_tokens", Kept::dropped},
    {"chat_template", Kept::dropped},
    {"chat_template_kwargs", Kept::dropped},
    {"add_generation_prompt", Kept::dropped},
    {"continue_final_message", Kept::dropped},
    {"documents", Kept::dropped},
    {"parallel_tool_calls", Kept::dropped},
    {"metadata", Kept::dropped},
    {"store", Kept::dropped},
    {"service_tier", Kept::dropped},
});

/// `false`, `0`, "", [] and {} say nothing.
bool says_nothing(std::string_view json) {
  return json == "false" || json == "0" || json == "\"\"" || json == "[]" || json == "{}";
}

/// Messages as a prefill needs them: the last one not the assistant's own. `texts`: each content is
/// a plain string.
struct Messages {
  bool texts = true;
  bool ends_with_user = false;
};

Messages read_messages(std::string_view json) {
  Messages messages;
  simdjson::dom::parser dom;
  simdjson::dom::array list;
  if (dom.parse(json.data(), json.size()).get_array().get(list)) return {.texts = false};
  for (const simdjson::dom::element message : list) {
    std::string_view role;
    simdjson::dom::element content;
    messages.ends_with_user = !message["role"].get_string().get(role) && role != "assistant";
    if (!message["content"].get(content) && content.is_array()) messages.texts = false;
    if (!message["tool_calls"].get(content) && !content.is_null()) messages.texts = false;
  }
  return messages;
}

/// Gathers what the fields say.
class Reader {
 public:
  explicit Reader(const char* base) : base_(base) {}

  void read(od::object object);
  Continuation result() &&;

 private:
  void take(std::string_view key, std::string_view json);
  bool allows(const Rule& rule, std::string_view json);
  Span place(std::string_view json) const {
    return {static_cast<std::size_t>(json.data() - base_), json.size()};
  }

  const char* base_;
  Continuation out_{.by_ids = true, .by_prefill = true};
  std::string_view messages_{};
  std::string_view tools_{};
  bool tools_off_ = false;
  bool seeded_ = false;
  bool greedy_ = false;
  bool formatted_ = false;
};

bool Reader::allows(const Rule& rule, std::string_view json) {
  switch (rule.kept) {
    case Kept::along:
      fmt::format_to(std::back_inserter(out_.sampling), ",\"{}\":{}", rule.key, json);
      return true;
    case Kept::neutral:
      return std::strtod(std::string(json).c_str(), nullptr) == rule.neutral;
    case Kept::empty:
      return says_nothing(json);
    case Kept::dropped:
      return true;
  }
  return false;
}

void Reader::take(std::string_view key, std::string_view json) {
  if (json.empty() || json == "null") return;
  if (key == "messages") messages_ = json;
  if (key == "max_tokens" || key == "max_completion_tokens") out_.limits_at.push_back(place(json));
  if (key == "tools" || key == "functions") {
    tools_ = json;
    return;
  }
  if (key == "tool_choice") {
    tools_off_ = json == "\"none\"";
    return;
  }
  if (key == "temperature") greedy_ = std::strtod(std::string(json).c_str(), nullptr) == 0;
  if (key == "seed") {
    seeded_ = true;
    fmt::format_to(std::back_inserter(out_.sampling), ",\"seed\":{}", json);
    return;
  }
  if (key == "response_format") {
    formatted_ = json.find("\"text\"") == std::string_view::npos;
    return;
  }
  if (key == "logprobs" && json != "false") out_.by_ids = false;
  if (key == "prompt" && json.front() != '"') out_.by_ids = false;
  if (key == "n" && json != "1") out_.by_prefill = false;
  if (key == "continue_final_message" || key == "add_generation_prompt") out_.by_prefill = false;
  if (key == "stream_options" && json.find("continuous_usage_stats") != std::string_view::npos) {
    out_.by_ids = false;  // each chunk's usage would have to be told anew
  }
  const auto rule =
      std::find_if(rules.begin(), rules.end(), [&](const Rule& r) { return r.key == key; });
  if (rule == rules.end() || !allows(*rule, json)) out_.by_ids = false;
}

void Reader::read(od::object object) {
  for (auto field : object) {
    std::string_view key;
    od::value value;
    if (field.unescaped_key().get(key) || field.value().get(value)) {
      out_.by_ids = out_.by_prefill = false;
      return;
    }
    const std::string name(key);
    take(name, json_of(value));
  }
}

Continuation Reader::result() && {
  const bool tools = !tools_.empty() && !says_nothing(tools_) && !tools_off_;
  Messages messages;
  if (!messages_.empty()) messages = read_messages(messages_);
  if (tools || formatted_ || (seeded_ && !greedy_) || !messages.texts) out_.by_ids = false;
  if (tools || formatted_ || messages_.empty() || !messages.ends_with_user) out_.by_prefill = false;
  if (!messages_.empty()) out_.messages_at = place(messages_);
  return std::move(out_);
}

}  // namespace

Continuation read_continuation(std::string_view body) {
  const simdjson::padded_string_view text = padded(body);
  od::document document;
  od::object object;
  if (iterate(text).get(document) || document.get_object().get(object)) return {};
  Reader reader(text.data());
  reader.read(object);
  return std::move(reader).result();
}

Edit set_return_token_ids(const RequestView& request) {
  return {request.object_open, 0,
          request.empty_object ? R"("return_token_ids":true)" : R"("return_token_ids":true,)"};
}

std::string continue_ids(const Continuation& request, std::string_view model,
                         std::span<const std::uint32_t> prompt,
                         std::span<const std::uint32_t> answer, std::uint32_t max_tokens) {
  return fmt::format(
      "{{\"model\":{},\"prompt\":[{}{}{}],\"max_tokens\":{},\"stream\":true,"
      "\"stream_options\":{{\"include_usage\":true}},\"return_token_ids\":true{}}}",
      json_quote(model), fmt::join(prompt, ","), prompt.empty() || answer.empty() ? "" : ",",
      fmt::join(answer, ","), max_tokens, request.sampling);
}

std::vector<Edit> continue_text(const RequestView& request, const Continuation& continuation,
                                std::string_view text, std::uint32_t max_tokens) {
  std::vector<Edit> edits;
  edits.push_back(
      {request.object_open, 0, R"("continue_final_message":true,"add_generation_prompt":false,)"});
  const Span& messages = continuation.messages_at;
  edits.push_back({messages.offset + messages.length - 1, 0,
                   fmt::format(R"(,{{"role":"assistant","content":{}}})", json_quote(text))});
  if (max_tokens == 0) return edits;
  for (const Span& limit : continuation.limits_at) {
    edits.push_back({limit.offset, limit.length, std::to_string(max_tokens)});
  }
  return edits;
}

}  // namespace llmroute::wire
