#include <algorithm>
#include <array>
#include <llmroute/wire/add_fields.hpp>
#include <llmroute/wire/api_path.hpp>
#include <llmroute/wire/json_text.hpp>

namespace llmroute::wire {

namespace {

constexpr std::array<std::string_view, 3> answer_limits{"max_tokens", "max_completion_tokens",
                                                        "max_output_tokens"};

bool limits_answer(std::string_view name) noexcept {
  return std::find(answer_limits.begin(), answer_limits.end(), name) != answer_limits.end();
}

}  // namespace

std::optional<std::vector<Field>> read_fields(std::string_view object) {
  const std::optional<std::vector<Member>> members = read_members(object);
  if (!members) return std::nullopt;
  std::vector<Field> fields;
  for (const Member& member : *members) {
    fields.push_back({member.name, std::string(at(object, member.value))});
  }
  return fields;
}

std::string_view name_on(std::string_view path, std::string_view name) noexcept {
  return without_query(path) == "/v1/responses" && limits_answer(name) ? answer_limits.back()
                                                                       : name;
}

bool gives(std::span<const Member> present, std::string_view name) noexcept {
  const bool limit = limits_answer(name);
  return std::any_of(present.begin(), present.end(), [&](const Member& member) {
    return member.name == name || (limit && limits_answer(member.name));
  });
}

std::optional<Edit> add_fields(const RequestView& request, std::span<const Member> present,
                               std::span<const Field> fields, std::string_view path) {
  std::string text;
  for (const Field& field : fields) {
    if (gives(present, field.name)) continue;
    if (!text.empty()) text += ',';
    text.append(json_quote(name_on(path, field.name))).append(1, ':').append(field.json);
  }
  if (text.empty()) return std::nullopt;
  if (!request.empty_object) text += ',';
  return Edit{request.object_open, 0, std::move(text)};
}

}  // namespace llmroute::wire
