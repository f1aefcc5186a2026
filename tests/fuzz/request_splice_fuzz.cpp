// A request's body: where its fields stand, and bodies with other fields in their place.
#include <llmroute/wire/continuation.hpp>
#include <llmroute/wire/request_view.hpp>
#include <llmroute/wire/splice.hpp>
#include <string>

#include "fuzz/fuzz.hpp"

using namespace llmroute::fuzz;
using namespace llmroute::wire;

namespace {

/// Of every body that nodes would read as well.
void check_model(std::string_view body, const RequestView& view) {
  const Edit edit = set_model(view, "an \"other\"/model");
  const std::string changed = splice(body, {edit});
  const auto again = read_request(changed);
  require(again.has_value(), "a body with another model can be read");
  require(again->model == "an \"other\"/model", "the model is the one that was set");
  const Edit back{edit.offset, edit.text.size(),
                  std::string(body.substr(edit.offset, edit.length))};
  require(splice(changed, {back}) == body, "cut back, the same bytes");
  require(is_json_object(changed), "JSON stays JSON");
}

void check_stream(std::string_view body, const RequestView& view) {
  const bool has_options = view.stream_options_at.length != 0;
  const bool with_usage = has_options || !view.empty_object;  // which takes one field
  std::vector<Edit> edits;
  edits.push_back(set_stream(view));
  if (has_options) {
    edits.push_back(complete_stream_options(body, view));
  } else if (with_usage) {
    edits.push_back(set_include_usage(view));
  }
  const std::string changed = splice(body, std::move(edits));
  const auto again = read_request(changed);
  require(again.has_value() && again->stream, "a body that asks for a stream");
  require(!with_usage || again->include_usage, "and for usage");
  require(is_json_object(changed), "JSON stays JSON");
}

}  // namespace

LLMROUTE_FUZZ_TARGET(request_splice) {
  (void)read_continuation(input);
  const auto view = read_request(input);
  if (!view) return require(!view.error().message.empty(), "a refusal says why");
  if (!is_json_object(input)) return;
  check_model(input, *view);
  check_stream(input, *view);
}
