#include "layers/outgoing.hpp"

#include <llmroute/wire/api_path.hpp>
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

namespace {

/// A limit of the tenant's tokens is settled by what the node has counted.
bool settles_tokens(const CallState& call) noexcept {
  return call.rate_hold && call.rate.tokens.limit > 0;
}

/// Where it is, a node of which nothing is known is asked, too.
bool may_ask_for_usage(const CallState& call, Provider provider) noexcept {
  return takes_include_usage(provider) || (provider == Provider::automatic && settles_tokens(call));
}

bool has_stream_options(const CallState& call) noexcept {
  return call.view.stream_options_at.length != 0;
}

wire::Edit ask_for_usage(const CallState& call, const NodeConfig& node) {
  const wire::UsageReports reports = injects_running_usage(call, node)
                                         ? wire::UsageReports::each_chunk
                                         : wire::UsageReports::at_end;
  return has_stream_options(call) ? wire::complete_stream_options(call.body, call.view, reports)
                                  : wire::set_include_usage(call.view, reports);
}

}  // namespace

/// Callers who write stream_options get what these say, unless a limit would then not see what is
/// spent.
bool injects_usage(const CallState& call, const NodeConfig& node) noexcept {
  if (!call.stream() || call.view.include_usage || !wire::streams_chunks(call.path)) return false;
  if (!may_ask_for_usage(call, node.provider)) return false;
  return has_stream_options(call) ? settles_tokens(call) : !call.view.empty_object;
}

bool injects_running_usage(const CallState& call, const NodeConfig& node) noexcept {
  return node.provider == Provider::vllm && settles_tokens(call) && !call.committed &&
         injects_usage(call, node);  // what joins a stream is counted at its end
}

/// A long prompt's ids would take more of the ledger than its answer.
constexpr std::size_t longest_prompt = 128 << 10;

bool wants_token_ids(CallState& call, const NodeConfig& node) {
  return call.stream() && node.provider == Provider::vllm && call.resume() != Resume::off &&
         call.body.size() <= longest_prompt && call.view.choices == 1 &&
         wire::streams_chunks(call.path) && call.continuation().by_ids;
}

std::vector<wire::Edit> outgoing_edits(const CallState& call, const NodeConfig& node,
                                       std::string_view model_id) {
  std::vector<wire::Edit> edits;
  if (!model_id.empty() && model_id != call.view.model) {
    edits.push_back(wire::set_model(call.view, model_id));
  }
  if (call.stream() && !call.view.stream) edits.push_back(wire::set_stream(call.view));
  if (injects_usage(call, node)) edits.push_back(ask_for_usage(call, node));
  if (call.alias == nullptr || !call.alias->reasoning.any()) return edits;
  for (wire::Edit& edit :
       wire::set_reasoning(call.body, call.view, call.alias->reasoning, node.provider, call.path)) {
    edits.push_back(std::move(edit));
  }
  return edits;
}

std::string outgoing_body(const CallState& call, const NodeConfig& node, std::string_view model_id,
                          bool with_ids) {
  std::vector<wire::Edit> edits = outgoing_edits(call, node, model_id);
  if (with_ids) edits.push_back(wire::set_return_token_ids(call.view));
  return edits.empty() ? std::string{} : wire::splice(call.body, std::move(edits));
}

}  // namespace llmroute::detail
