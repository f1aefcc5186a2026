#include "layers/ask_model.hpp"

#include <llmroute/wire/members.hpp>
#include <llmroute/wire/splice.hpp>
#include <llmroute/wire/system_prompt.hpp>

#include "layers/resolve.hpp"

namespace llmroute::detail {

namespace {

/// Nodes refuse stream_options beside a request for a whole answer.
std::vector<wire::Field> defaults_for(const CallState& call) {
  std::vector<wire::Field> defaults = call.alias->defaults;
  if (!call.stream()) {
    std::erase_if(defaults, [](const wire::Field& f) { return f.name == "stream_options"; });
  }
  return defaults;
}

std::optional<wire::Edit> prefix(const CallState& call, std::span<const wire::Member> members) {
  const std::string& text = call.alias->config->transforms.system_prompt_prefix;
  if (text.empty() || call.path != "/v1/chat/completions") return std::nullopt;
  const wire::Member* messages = wire::find_member(members, "messages");
  if (messages == nullptr) return std::nullopt;
  const std::string_view list = wire::at(call.request.body, messages->value);
  std::optional<wire::Edit> edit = wire::prefix_system_prompt(list, text);
  if (edit) edit->offset += messages->value.offset;
  return edit;
}

/// The caller's body with what the alias adds; empty: nothing.
std::string shape(const CallState& call, const wire::RequestView& view) {
  const auto members = wire::read_members(call.request.body);
  if (!members) return {};
  std::vector<wire::Edit> edits;
  const auto add = [&](std::optional<wire::Edit> edit) {
    if (edit) edits.push_back(std::move(*edit));
  };
  add(wire::add_fields(view, *members, defaults_for(call), call.path));
  add(prefix(call, *members));
  return edits.empty() ? std::string{} : wire::splice(call.request.body, std::move(edits));
}

/// Another body than before, empty for the caller's own: what is known of it is read again.
void use_body(CallState& call, std::string shaped) {
  Result<wire::RequestView> view =
      wire::read_request(shaped.empty() ? call.request.body : std::string_view(shaped));
  if (!view) return;  // cannot be: the caller's was read before, the defaults by Config::prepare
  call.view = std::move(*view);
  call.shaped = std::move(shaped);
  call.body = call.shaped.empty() ? call.request.body : std::string_view(call.shaped);
  call.continuation_.reset();
}

}  // namespace

void ask_model(CallState& call, std::string_view model) {
  call.alias = call.settings.model(model);
  if (!call.shaped.empty()) use_body(call, {});
  if (call.alias != nullptr && call.alias->shapes_requests()) {
    if (std::string shaped = shape(call, call.view); !shaped.empty()) {
      use_body(call, std::move(shaped));
    }
  }
  call.pick =
      pick_request(call.body, call.view, model, call.request.options.session_key, call.stream());
}

}  // namespace llmroute::detail
