#include <algorithm>
#include <llmroute/wire/json_text.hpp>
#include <llmroute/wire/splice.hpp>

namespace llmroute::wire {

namespace {

/// A new first field of the object. An empty object takes one only.
Edit new_field(const RequestView& request, std::string text) {
  if (!request.empty_object) text += ',';
  return {request.object_open, 0, std::move(text)};
}

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
  return new_field(
      request, reports == UsageReports::at_end
                   ? R"("stream_options":{"include_usage":true})"
                   : R"("stream_options":{"include_usage":true,"continuous_usage_stats":true})");
}

}  // namespace llmroute::wire
