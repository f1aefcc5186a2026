// A node's plain answers and lists of models.
#include <llmroute/wire/json_text.hpp>
#include <llmroute/wire/model_list.hpp>
#include <llmroute/wire/reply_view.hpp>
#include <string>

#include "fuzz/fuzz.hpp"

using namespace llmroute::fuzz;
using namespace llmroute::wire;

LLMROUTE_FUZZ_TARGET(reply_view) {
  (void)read_model_list(input);
  (void)read_context_length(input, "m");
  const ReplyView view = read_reply(input);
  if (view.model_length == 0) return;
  require(view.model_offset + view.model_length <= input.size(), "the model is in the body");
  const std::string_view model = input.substr(view.model_offset, view.model_length);
  require(model.front() == '"' && model.back() == '"' && model.size() >= 2, "with its quotes");
  std::string other(input);
  other.replace(view.model_offset, view.model_length, json_quote("an \"other\" one"));
  const ReplyView again = read_reply(other);
  require(again.model_offset == view.model_offset, "another model stands where it stood");
  require(again.usage == view.usage && again.is_error == view.is_error, "and nothing else is new");
}
