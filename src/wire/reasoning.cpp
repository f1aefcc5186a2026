#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <llmroute/wire/api_path.hpp>
#include <llmroute/wire/reasoning.hpp>

namespace llmroute::wire {

namespace {

constexpr std::string_view chat = "/v1/chat/completions";
constexpr std::string_view template_settings = "chat_template_kwargs";

/// The least that Anthropic takes.
constexpr std::int64_t least_budget = 1024;

Error wrong_setting(const Field& field, std::string_view what) {
  return {.code = ErrorCode::invalid_config, .message = std::string(what), .param = field.name};
}

std::optional<Error> take(Reasoning& out, const Field& field) {
  const std::string& json = field.json;
  if (field.name == "enabled") {
    if (json != "true" && json != "false") return wrong_setting(field, "must be true or false");
    out.enabled = json == "true";
  } else if (field.name == "effort" || field.name == "reasoning_effort") {
    if (json.front() != '"') return wrong_setting(field, "must be a word in quotes, like \"high\"");
    out.effort = json;
  } else if (field.name == "budget_tokens") {
    const char* end = json.data() + json.size();
    const auto [stop, error] = std::from_chars(json.data(), end, out.budget_tokens);
    if (error != std::errc{} || stop != end || out.budget_tokens < 1) {
      return wrong_setting(field, "must be a whole number, 1 or more");
    }
  } else {
    out.others.push_back(field);
  }
  return std::nullopt;
}

bool holds(const std::vector<Field>& fields, std::string_view name) {
  return std::any_of(fields.begin(), fields.end(),
                     [&](const Field& field) { return field.name == name; });
}

/// Whose chat templates have the switch `enable_thinking`. A node of which nothing is known is
/// taken for one that runs a model itself: of others one knows whose they are.
bool has_templates(Provider provider) noexcept {
  return provider == Provider::automatic || provider == Provider::vllm ||
         provider == Provider::sglang || provider == Provider::llamacpp;
}

/// Who is known to read `reasoning_effort`, or what stands for it. A node of which nothing is known
/// speaks the common dialect.
bool takes_effort(Provider provider) noexcept {
  switch (provider) {
    case Provider::automatic:
    case Provider::openai:
    case Provider::azure:
    case Provider::vllm:
    case Provider::sglang:
      return true;
    default:
      return false;
  }
}

/// Settings of the template that the configuration spells out are not added to.
bool switches_template(const Reasoning& reasoning, Provider provider, std::string_view path) {
  return reasoning.enabled && without_query(path) == chat && has_templates(provider) &&
         !holds(reasoning.others, template_settings);
}

std::string thinking(const Reasoning& reasoning) {
  if (!*reasoning.enabled) return R"({"type":"disabled"})";
  return fmt::format(R"({{"type":"enabled","budget_tokens":{}}})",
                     std::max(reasoning.budget_tokens, least_budget));
}

std::string enable_thinking(const Reasoning& reasoning) {
  return fmt::format(R"("enable_thinking":{})", *reasoning.enabled);
}

/// A switch that the caller's own settings of the template leave open.
std::optional<Edit> complete(std::string_view body, const Member& settings,
                             const Reasoning& reasoning) {
  const auto own = read_members(at(body, settings.value));
  if (!own || find_member(*own, "enable_thinking") != nullptr) return std::nullopt;
  return Edit{settings.value.offset + 1, 0, enable_thinking(reasoning) + (own->empty() ? "" : ",")};
}

}  // namespace

Result<Reasoning> read_reasoning(std::string_view json) {
  const std::optional<std::vector<Field>> fields = read_fields(json);
  if (!fields) return Error{.code = ErrorCode::invalid_config, .message = "must be a table"};
  Reasoning reasoning;
  for (const Field& field : *fields) {
    if (std::optional<Error> error = take(reasoning, field)) return std::move(*error);
  }
  return reasoning;
}

std::vector<Field> reasoning_fields(const Reasoning& reasoning, Provider provider,
                                    std::string_view path) {
  std::vector<Field> fields = reasoning.others;
  const auto add = [&](std::string_view name, std::string json) {
    if (!holds(reasoning.others, name)) fields.push_back({std::string(name), std::move(json)});
  };
  const std::string_view plain = without_query(path);
  const bool is_chat = plain == chat;
  if (switches_template(reasoning, provider, path)) {
    add(template_settings, fmt::format("{{{}}}", enable_thinking(reasoning)));
  }
  if (reasoning.enabled && provider == Provider::anthropic &&
      (is_chat || plain == "/v1/messages")) {
    add("thinking", thinking(reasoning));
  }
  const bool off = !reasoning.enabled.value_or(true);
  if (reasoning.effort.empty() || off || !takes_effort(provider)) return fields;
  if (is_chat) add("reasoning_effort", reasoning.effort);
  if (plain == "/v1/responses") {
    add("reasoning", fmt::format(R"({{"effort":{}}})", reasoning.effort));
  }
  return fields;
}

std::vector<Edit> set_reasoning(std::string_view body, const RequestView& request,
                                const Reasoning& reasoning, Provider provider,
                                std::string_view path) {
  std::vector<Edit> edits;
  const std::optional<std::vector<Member>> present = read_members(body);
  if (!present || request.empty_object) return edits;
  const std::vector<Field> fields = reasoning_fields(reasoning, provider, path);
  if (std::optional<Edit> edit = add_fields(request, *present, fields, path)) {
    edits.push_back(std::move(*edit));
  }
  const Member* settings = find_member(*present, template_settings);
  if (settings == nullptr || !switches_template(reasoning, provider, path)) return edits;
  if (std::optional<Edit> edit = complete(body, *settings, reasoning)) {
    edits.push_back(std::move(*edit));
  }
  return edits;
}

}  // namespace llmroute::wire
