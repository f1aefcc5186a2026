#include "layers/resume.hpp"

#include <llmroute/wire/api_path.hpp>
#include <llmroute/wire/model_list.hpp>
#include <llmroute/wire/splice.hpp>

#include "layers/outgoing.hpp"
#include "router/endpoints.hpp"
#include "router/router_core.hpp"

namespace llmroute::detail {

namespace {

constexpr std::string_view chat_path = "/v1/chat/completions";
constexpr std::string_view completions_path = "/v1/completions";

/// How long a node may take to say how long its context is.
constexpr Duration patience = std::chrono::seconds(5);

std::string_view object_of(const CallState& call) {
  return call.path == completions_path ? "text_completion" : "chat.completion.chunk";
}

/// Engines that are known to repeat, or not to repeat, the beginning they are given.
Echo echo_of(Provider provider) noexcept {
  switch (provider) {
    case Provider::vllm:
    case Provider::sglang:
      return Echo::none;
    case Provider::llamacpp:
      return Echo::whole;
    default:
      return Echo::unknown;
  }
}

/// Where to cut the delivered text: behind its last blank, for text is cut into other tokens at
/// another place.
std::size_t tail_of(std::string_view text) {
  const std::size_t blank = text.find_last_of(" \n\t");
  return blank == std::string_view::npos ? text.size() : text.size() - blank - 1;
}

std::uint32_t less(std::uint32_t limit, std::size_t used) noexcept {
  return used < limit ? limit - static_cast<std::uint32_t>(used) : 0;
}

/// The node's word on how many tokens prompt and answer may have together; 0: it does not say.
net::Task<std::uint32_t> context_length(CallState& call, const NodeTicket& ticket) {
  const net::Endpoint endpoint =
      models_endpoint(ticket.node().config(), ticket.key_index(), call.config());
  const Time until = after(call.loop.now(), patience);
  net::HttpTransfer transfer(call.loop, endpoint, {}, {}, net::HttpTransfer::Mode::whole);
  const net::Chunk end = co_await transfer.read(until);
  if (end.kind != net::Chunk::Kind::end || !is_success(transfer.status())) co_return 0;
  const std::string list = transfer.take_body();
  co_return wire::read_context_length(list, ticket.model_id());
}

/// An answer that is given no limit may fill the context, as the first one might have.
net::Task<std::uint32_t> tokens_left(CallState& call, const NodeTicket& ticket) {
  const Ledger::Tokens& tokens = call.ledger.tokens();
  if (call.view.max_tokens != 0) co_return less(call.view.max_tokens, tokens.complete);
  const std::uint32_t context = co_await context_length(call, ticket);
  co_return less(context, tokens.prompt.size() + tokens.complete);
}

/// None when the answer's length is not known.
net::Task<std::optional<Asking>> by_ids(CallState& call, const NodeTicket& ticket) {
  const std::uint32_t left = co_await tokens_left(call, ticket);
  if (left == 0) co_return std::nullopt;
  std::vector<std::uint32_t> dropped = call.ledger.drop_incomplete();
  const Ledger::Tokens& tokens = call.ledger.tokens();
  Asking asking{.rung = Rung::ids, .path = completions_path};
  asking.body = wire::continue_ids(call.continuation(), ticket.model_id(), tokens.prompt,
                                   tokens.answer, left);
  asking.seam = ids_seam(call.ledger, object_of(call), std::move(dropped));
  co_return asking;
}

Asking by_replay(CallState& call) {
  call.ledger.forget_tokens();
  Asking asking{.rung = Rung::replay};
  asking.seam = replay_seam(call.ledger, object_of(call));
  return asking;
}

Asking by_prefill(CallState& call, const NodeTicket& ticket) {
  call.ledger.forget_tokens();
  const NodeConfig& node = ticket.node().config();
  const std::string& text = call.ledger.text();
  const std::size_t tail = tail_of(text);
  const std::string_view given = std::string_view(text).substr(0, text.size() - tail);
  std::vector<wire::Edit> edits = outgoing_edits(call, node, ticket.model_id());
  const std::uint32_t left = less(call.view.max_tokens, call.ledger.events());
  for (wire::Edit& edit : wire::continue_text(call.view, call.continuation(), given, left)) {
    edits.push_back(std::move(edit));
  }
  Asking asking{.rung = Rung::prefill};
  asking.body = wire::splice(call.body, std::move(edits));
  asking.seam = prefill_seam(call.ledger, object_of(call), tail, echo_of(node.provider));
  return asking;
}

}  // namespace

bool Ladder::possible(CallState& call) const {
  if (call.resume() == Resume::off || !wire::streams_chunks(call.path)) return false;
  if (!call.ledger.resumable()) return false;
  return replay_left_ || (ids_left_ && call.ledger.tokens().known) || prefill_possible(call);
}

bool Ladder::ids_possible(CallState& call, const NodeConfig& node) const {
  return ids_left_ && call.ledger.tokens().known && !call.ledger.tokens().answer.empty() &&
         !call.ledger.any_reasoning() && wants_token_ids(call, node);
}

bool Ladder::prefill_possible(CallState& call) const {
  return prefill_left_ && call.resume() == Resume::best_effort && call.path == chat_path &&
         !call.ledger.any_reasoning() && call.ledger.choices() == 1 &&
         (call.view.max_tokens == 0 || call.ledger.events() < call.view.max_tokens) &&
         call.continuation().by_prefill;
}

net::Task<std::optional<Asking>> Ladder::asking(CallState& call, const NodeTicket& ticket) {
  if (ids_possible(call, ticket.node().config())) {
    std::optional<Asking> asking = co_await by_ids(call, ticket);
    if (asking) co_return asking;
    ids_left_ = false;
  }
  if (replay_left_) co_return by_replay(call);
  if (prefill_possible(call)) co_return by_prefill(call, ticket);
  co_return std::nullopt;
}

void Ladder::give_up(Rung rung) noexcept {
  if (rung == Rung::ids) ids_left_ = false;
  if (rung == Rung::replay) replay_left_ = false;
  if (rung == Rung::prefill) prefill_left_ = false;
}

bool Ladder::only_end_missing(const CallState& call) {
  const Ledger::Tokens& tokens = call.ledger.tokens();
  return tokens.known && call.view.max_tokens != 0 && tokens.complete == tokens.answer.size() &&
         tokens.answer.size() >= call.view.max_tokens && call.ledger.choices() == 1;
}

net::Task<Result<Reply>> Ladder::end_by_length(CallState& call) {
  const Ledger::Tokens& tokens = call.ledger.tokens();
  call.usage.prompt_tokens = static_cast<std::int64_t>(tokens.prompt.size());
  call.usage.completion_tokens = static_cast<std::int64_t>(tokens.answer.size());
  call.usage.total_tokens = call.usage.prompt_tokens + call.usage.completion_tokens;
  std::vector<std::string> events;
  const wire::Identity& identity = call.ledger.identity();
  events.push_back(wire::write_chunk(identity, object_of(call), {.finish_reason = "length"}));
  if (call.view.include_usage) {
    events.push_back(wire::write_usage_chunk(identity, object_of(call), call.usage));
  }
  for (const std::string& data : events) {
    const std::string raw = "data: " + data + "\n\n";
    if (call.sink->offer({.data = std::string_view(raw).substr(6, data.size()), .raw = raw})) {
      continue;
    }
    Drained drained(*call.sink);
    co_await drained;
  }
  co_return call.reply(200, {}, {});
}

}  // namespace llmroute::detail
