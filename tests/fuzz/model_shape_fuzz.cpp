// What an alias adds to a request's body: defaults, the switch for thinking, the system prompt.
#include <llmroute/wire/add_fields.hpp>
#include <llmroute/wire/model_name.hpp>
#include <llmroute/wire/reasoning.hpp>
#include <llmroute/wire/request_view.hpp>
#include <llmroute/wire/splice.hpp>
#include <llmroute/wire/system_prompt.hpp>
#include <string>

#include "fuzz/fuzz.hpp"

using namespace llmroute::fuzz;
using namespace llmroute::wire;

namespace {

constexpr std::string_view chat = "/v1/chat/completions";

/// Without what the edits have put in, the same bytes.
void check_rest(std::string_view body, const std::string& changed, const std::vector<Edit>& edits) {
  std::string back = changed;
  for (const Edit& edit : edits) {
    const std::size_t at = back.find(edit.text, edit.offset);
    require(at == edit.offset && edit.length == 0, "an addition stands where it says");
    back.erase(at, edit.text.size());
  }
  require(back == body, "cut back, the same bytes");
}

void check_added(std::string_view body, const std::vector<Edit>& edits) {
  for (const Edit& edit : edits) {
    const std::string changed = splice(body, {edit});
    require(is_json_object(changed), "JSON stays JSON");
    require(read_request(changed).has_value(), "and can be read");
    check_rest(body, changed, {edit});
  }
  require(is_json_object(splice(body, edits)), "all of them together as well");
}

}  // namespace

LLMROUTE_FUZZ_TARGET(model_shape) {
  (void)with_model_name(input, "m", "another");
  const auto view = read_request(input);
  const auto members = read_members(input);
  if (!view || !is_json_object(input)) return;
  require(members.has_value(), "an object has members");
  std::vector<Edit> edits;
  const std::vector<Field> fields{{"max_tokens", "7"}, {"other", "[1,{}]"}};
  if (const auto edit = add_fields(*view, *members, fields, chat)) edits.push_back(*edit);
  if (const Member* messages = find_member(*members, "messages")) {
    if (auto edit = prefix_system_prompt(at(input, messages->value), "P \"q\"\n")) {
      edit->offset += messages->value.offset;
      edits.push_back(std::move(*edit));
    }
  }
  check_added(input, edits);
  const Reasoning reasoning{.enabled = true, .effort = "\"low\""};
  check_added(input, set_reasoning(input, *view, reasoning, llmroute::Provider::vllm, chat));
}
