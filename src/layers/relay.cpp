#include "layers/relay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <llmroute/wire/api_path.hpp>
#include <optional>

#include "layers/open_attempt.hpp"
#include "router/endpoints.hpp"
#include "router/loop_state.hpp"
#include "router/router_core.hpp"

namespace llmroute::detail {

namespace {

bool is_json(std::string_view content_type) noexcept {
  constexpr std::string_view json = "application/json";
  return same_field_name(content_type.substr(0, json.size()), json);
}

/// Nodes in the order of the configuration.
struct FirstListed {
  NodeIndex pick(std::span<const NodeView>, const PickRequest&, PickContext&) const {
    return NodeIndex{0};
  }
};

net::Task<Result<Reply>> refuse(const CallState& call, std::string_view why) {
  Error error = call.fail(ErrorCode::invalid_argument,
                          fmt::format("{} \"{}\": {}", name(call.request.method), call.path, why));
  error.param = "path";
  co_return error;
}

/// Behind a node's host: anything else could make another host of it ("@", ":") or another request
/// (a line break), and the node's key would go along.
bool is_path(std::string_view path) noexcept {
  return path.starts_with('/') &&
         std::all_of(path.begin(), path.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

/// Whether another node may be asked after this one. What a node has not got another may have;
/// beyond that, a request that may have had an effect is not put twice.
bool may_go_on(HttpMethod method, const AttemptFailure& failure) noexcept {
  constexpr std::array never_served{FailureKind::absent_path, FailureKind::model_not_found,
                                    FailureKind::connect,     FailureKind::dns,
                                    FailureKind::tls,         FailureKind::timeout_connect};
  if (std::find(never_served.begin(), never_served.end(), failure.kind) != never_served.end()) {
    return true;
  }
  return is_idempotent(method) && traits(failure.kind).elsewhere;
}

/// Nobody served it: what the last node said that had an answer.
Error refused(const CallState& call, const std::string& node, const AttemptFailure& last) {
  const bool absent = last.kind == FailureKind::absent_path;
  Error error = call.fail(absent ? ErrorCode::node_rejected : traits(last.kind).code,
                          fmt::format("{} {}: {} tried, last {}: {}", name(call.request.method),
                                      call.path, call.attempts.size(), node, last.reason));
  error.http_status = last.http_status;
  error.body = last.body;
  error.headers = last.headers;
  error.retry_after = last.retry_after;
  return error;
}

/// One node's answer, or why there is none.
net::Task<std::optional<AttemptFailure>> ask(CallState& call, AttemptTicket& ticket,
                                             std::optional<Reply>& reply) {
  const net::Endpoint endpoint =
      relay_endpoint(ticket.node().config(), call.request, ticket.key_index(), call.config());
  net::HttpTransfer transfer(call.loop, endpoint, call.request.body, call.upstream_headers(),
                             net::HttpTransfer::Mode::whole);
  const TimeoutsConfig& timeouts = call.config().timeouts;
  const Duration limit = timeouts.attempt > Duration::zero() ? timeouts.attempt : timeouts.total;
  const net::Chunk end =
      co_await transfer.read(limit > Duration::zero() ? after(call.loop.now(), limit) : never);
  const int status = transfer.status();
  if (end.kind == net::Chunk::Kind::timeout) {
    co_return timeout_failure(FailureKind::timeout_attempt, "whole answer", limit);
  }
  if (end.kind == net::Chunk::Kind::failed) co_return failure_of(transfer.error(), status);
  if (!is_success(status)) {
    co_return failure_of(status, transfer.take_headers(), transfer.take_body());
  }
  ticket.succeed(status, {});
  reply = call.reply(status, transfer.take_headers(), transfer.take_body());
  co_return std::nullopt;
}

net::Task<Result<Reply>> relay(CallState& call) {
  StrategyOf<FirstListed> in_order;
  std::optional<AttemptFailure> last;
  std::string last_node;
  for (;;) {
    PickOutcome picked = call.local.reader.acquire(
        in_order, call.pick, call.path, {.tried = call.tried, .refused = call.refused_keys},
        call.local.rng, call.loop.now());
    if (!picked) {
      if (last) co_return refused(call, last_node, *last);
      co_return call.fail(ErrorCode::no_healthy_node,
                          fmt::format("no node for {} {}: none can be asked now",
                                      name(call.request.method), call.path));
    }
    AttemptTicket ticket(call, std::move(picked.ticket), Rung::none);
    std::optional<Reply> reply;
    net::Task<std::optional<AttemptFailure>> asking = ask(call, ticket, reply);
    std::optional<AttemptFailure> failure = co_await asking;
    if (!failure) co_return std::move(*reply);
    ticket.fail(*failure);
    call.tried.push_back(ticket.node().id());
    const bool goes_on = may_go_on(call.request.method, *failure);
    // An answer that names what is missing says more than a later node that could not be reached.
    if (!last || failure->http_status != 0) {
      last = std::move(failure);
      last_node = ticket.node().name();
    }
    if (!goes_on) co_return refused(call, last_node, *last);
  }
}

}  // namespace

bool is_inference(const Request& request) noexcept {
  if (request.method != HttpMethod::post) return false;
  const std::optional<std::string_view> type = request.headers.find("content-type");
  return (!type || is_json(*type)) && wire::is_inference_path(request.path);
}

net::Task<Result<Reply>> RelayLayer::handle(CallState& call, Next next) {
  if (!is_path(call.request.path)) {
    return refuse(call, "a path begins with / and is percent-encoded, its query too");
  }
  if (is_inference(call.request)) return next(call);
  if (call.stream()) return refuse(call, "has no stream of events: use route()");
  return relay(call);
}

}  // namespace llmroute::detail
