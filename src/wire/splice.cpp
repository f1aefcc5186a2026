#include <algorithm>
#include <llmroute/wire/json_text.hpp>
#include <llmroute/wire/members.hpp>
#include <llmroute/wire/splice.hpp>

namespace llmroute::wire {

namespace {

/// A new first field of the object. An empty object takes one only.
Edit new_field(const RequestView& request, std::string text) {
  if (!request.empty_object) text += ',';
  return {request.object_open, 0, std::move(text)};
}

constexpr std::string_view include_usage = R"("include_usage":true)";
constexpr std::string_view continuous_usage_stats = R"("continuous_usage_stats":true)";

}  // namespace

std::string splice(std::string_view body, std::vector<Edit> edits) {
  std::stable_sort(edits.begin(), edits.end(),
                   [](const Edit& a, const Edit& b) { return a.offset < b.offset; });
  std::size_t grown = body.size();
  for (const Edit& edit : edits) grown += edit.text.size();
  std::string out;
  out.reserve(grown);
  std::size_t at = 0;
  for (const Edit& edit : edits) {
    out.append(body.substr(at, edit.offset - at)).append(edit.text);
    at = edit.offset + edit.length;
  }
  return out.append(body.substr(at)), out;
}

Edit set_model(const RequestView& request, std::string_view model) {
  if (request.model_at.length == 0) return new_field(request, "\"model\":" + json_quote(model));
  return {request.model_at.offset, request.model_at.length, json_quote(model)};
}

Edit set_stream(const RequestView& request) {
  if (request.stream_at.length == 0) return new_field(request, "\"stream\":true");
  return {request.stream_at.offset, request.stream_at.length, "true"};
}

Edit set_include_usage(const RequestView& request, UsageReports reports) {
  std::string text = R"("stream_options":{)";
  text += include_usage;
  if (reports == UsageReports::each_chunk) text.append(1, ',').append(continuous_usage_stats);
  return new_field(request, text += '}');
}

Edit complete_stream_options(std::string_view body, const RequestView& request,
                             UsageReports reports) {
  const Span place = request.stream_options_at;
  const std::optional<std::vector<Member>> given = read_members(at(body, place));
  const std::string_view old = given ? at(body, place) : "{}";
  const std::vector<Member> members = given.value_or(std::vector<Member>{});
  std::vector<Edit> edits;
  std::string added;
  const auto add = [&](std::string_view member) {
    if (!added.empty()) added += ',';
    added += member;
  };
  if (const Member* usage = find_member(members, "include_usage")) {
    edits.push_back({usage->value.offset, usage->value.length, "true"});
  } else {
    add(include_usage);
  }
  const bool says_when = find_member(members, "continuous_usage_stats") != nullptr;
  if (reports == UsageReports::each_chunk && !says_when) add(continuous_usage_stats);
  if (!added.empty() && !members.empty()) added += ',';
  edits.push_back({1, 0, std::move(added)});
  return {place.offset, place.length, splice(old, std::move(edits))};
}

}  // namespace llmroute::wire
