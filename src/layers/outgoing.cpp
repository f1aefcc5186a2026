#include "layers/outgoing.hpp"

#include <llmroute/wire/splice.hpp>

namespace llmroute::detail {

bool takes_include_usage(Provider provider) noexcept {
  switch (provider) {
    case Provider::openai:
    case Provider::azure:
    case Provider::vllm:
    case Provider::sglang:
    case Provider::llamacpp:
      return true;
    default:
      return false;
  }
}

bool injects_usage(const CallState& call, const NodeConfig& node) noexcept {
  return call.stream() && takes_include_usage(node.provider) &&
         call.view.stream_options_at.length == 0 && !call.view.empty_object &&
         call.request.path != "/v1/embeddings";
}

std::string outgoing_body(const CallState& call, const NodeConfig& node,
                          std::string_view model_id) {
  std::vector<wire::Edit> edits;
  if (!model_id.empty() && model_id != call.view.model) {
    edits.push_back(wire::set_model(call.view, model_id));
  }
  if (call.stream() && !call.view.stream) edits.push_back(wire::set_stream(call.view));
  if (injects_usage(call, node)) edits.push_back(wire::set_include_usage(call.view));
  return edits.empty() ? std::string{} : wire::splice(call.request.body, std::move(edits));
}

}  // namespace llmroute::detail
