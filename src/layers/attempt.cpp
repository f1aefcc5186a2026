#include "layers/attempt.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <llmroute/core/retry_policy.hpp>
#include <llmroute/wire/model_name.hpp>

#include "layers/hedge.hpp"
#include "layers/open_attempt.hpp"
#include "layers/pick_node.hpp"
#include "layers/refusals.hpp"
#include "layers/resume.hpp"
#include "router/router_core.hpp"
#include "router/turn.hpp"

namespace llmroute::detail {

namespace {

/// How long a model or a path that a node has not got is not asked of it again.
constexpr Duration absence = std::chrono::seconds(60);
/// How long a key rests that was refused without a word on when to come back.
constexpr Duration key_rest = std::chrono::seconds(60);

/// What the loop over attempts knows.
struct Progress {
  std::optional<AttemptFailure> last{};  ///< of the last attempt
  std::string last_node{};
  std::optional<NodeId> last_id{};
  int retries = 0;
  int same_node_retries = 0;
  bool paid = false;                 ///< the next attempt's retry has been taken from the budgets
  std::optional<Time> slot_until{};  ///< how long it may wait for nodes at their caps, in all
  Ladder ladder{};                   ///< how a stream that has begun goes on
  std::vector<NodeId> other_keys{};  ///< those of call.tried that may take another key
};

/// `no node left for "qwen-72b": 3 tried, last gpu-2: 503 after 1.2 s`.
Error exhausted(const CallState& call, const Progress& progress) {
  const AttemptFailure& last = *progress.last;
  const FailureTraits& row = traits(last.kind);
  const Duration took = call.attempts.empty() ? Duration{} : call.attempts.back().time;
  const bool refused =
      row.code == ErrorCode::node_rejected || row.code == ErrorCode::model_not_found;
  Error error = call.fail(
      row.code,
      refused && call.attempts.size() == 1
          ? fmt::format("{} refused the request: {}", progress.last_node, last.reason)
          : fmt::format("no node left for \"{}\": {} tried, last {}: {} after {:.1f} s", call.model,
                        call.attempts.size(), progress.last_node, last.reason, seconds(took)));
  error.http_status = last.http_status;
  error.body = last.body;
  error.headers = last.headers;
  error.retry_after = last.retry_after;
  return error;
}

/// The stream broke, and does not go on.
Error interrupted(CallState& call, const Progress& progress) {
  const AttemptFailure& last = *progress.last;
  Error error = call.fail(ErrorCode::stream_interrupted,
                          fmt::format("the stream from {} broke after {} bytes of text: {}",
                                      progress.last_node, call.ledger.text().size(), last.reason));
  error.body = last.body;
  return error;
}

Error given_up(CallState& call, const Progress& progress) {
  call.given_up_for = progress.last->kind;
  return call.committed ? interrupted(call, progress) : exhausted(call, progress);
}

/// Why no node could be picked, when none was asked before.
Error no_node(CallState& call, const Progress& progress, const PickOutcome& picked) {
  const auto say = [&](ErrorCode code, std::string_view why) {
    return call.fail(code, fmt::format("no node for \"{}\": {}", call.model, why));
  };
  switch (picked.miss) {
    case PickMiss::unknown_model:
      return unknown_model(call);
    case PickMiss::no_nodes:
      return say(ErrorCode::no_healthy_node, "none is configured and active");
    case PickMiss::all_busy: {
      const bool waited = call.loop.now() >= progress.slot_until.value_or(never);
      Error error = waited
                        ? say(ErrorCode::queue_timeout,
                              "all stayed at max_concurrent_requests for as long as queue_timeout")
                        : say(ErrorCode::queue_full,
                              "all are at max_concurrent_requests and the queue is full");
      error.retry_after = call.core.queue().retry_after(call.loop.now());
      return error;
    }
    case PickMiss::all_resting: {
      Error error = say(ErrorCode::rate_limited, "the keys of all nodes rest");
      if (picked.retry_at != never) error.retry_after = picked.retry_at - call.loop.now();
      return error;
    }
    default: {
      Error error = say(ErrorCode::no_healthy_node, "the breakers of all nodes are open");
      if (picked.retry_at != never) error.retry_after = picked.retry_at - call.loop.now();
      return error;
    }
  }
}

/// The node has refused the key: it rests, and this call does not use it again.
void rest_key(CallState& call, Progress& progress, OpenAttempt& attempt) {
  AttemptFailure& failure = *attempt.failure;
  const AttemptTicket& ticket = attempt.ticket;
  const Time now = call.loop.now();
  if (ticket.node().several_keys()) {
    call.refused_keys.push_back({ticket.key(), failure.kind});
    progress.other_keys.push_back(ticket.node().id());
  }
  // A 429 that names no time says nothing about the next second: only this call goes elsewhere.
  if (failure.kind == FailureKind::rate_limited && !failure.retry_after) return;
  const Duration rest =
      std::min(failure.retry_after.value_or(key_rest), RetryPolicy::longest_retry_after);
  const bool all_models = failure.kind == FailureKind::auth;
  const Time first = call.core.pool().rest_key(ticket.node().id(), ticket.key(),
                                               all_models ? std::string_view{} : ticket.model_id(),
                                               after(now, rest));
  // The node is worth asking again as soon as another of its keys has rested.
  if (failure.retry_after == rest && first > now) failure.retry_after = first - now;
}

/// No other node can be had: those that refused a key may be asked with their others.
bool turn_to_other_keys(CallState& call, Progress& progress) {
  std::vector<NodeId>& nodes = progress.other_keys;
  if (nodes.empty()) return false;
  std::erase_if(call.tried, [&](NodeId node) {
    return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
  });
  nodes.clear();
  return true;
}

/// A rate limit is for one model and a moment; what else a key was refused for holds for the call.
void forget_rate_limits(CallState& call) {
  std::erase_if(call.refused_keys,
                [](const KeyRefusal& refusal) { return refusal.why == FailureKind::rate_limited; });
}

/// Writes down what the failure taught of the node: a model or path it has not got, a key that
/// rests.
void remember(CallState& call, Progress& progress, OpenAttempt& attempt) {
  const AttemptFailure& failure = *attempt.failure;
  const Time now = call.loop.now();
  NodePool& pool = call.core.pool();
  const NodeId node = attempt.ticket.node().id();
  switch (traits(failure.kind).remember) {
    case Remember::nothing:
      break;
    case Remember::model_absent:
      pool.mark_absent(node, attempt.ticket.model_id(), after(now, absence), now);
      break;
    case Remember::path_absent:
      pool.mark_absent(node, attempt.path, after(now, absence), now);
      break;
    case Remember::key_rests:
      rest_key(call, progress, attempt);
      break;
  }
}

/// The queue tells of nodes as they are now. A call that asks those of before a reload looks
/// itself.
net::Task<bool> look_later(CallState& call, Time until) {
  constexpr Duration pause = std::chrono::milliseconds(20);
  if (call.loop.now() >= until) co_return false;
  net::SleepUntil sleep(call.loop, std::min(until, after(call.loop.now(), pause)));
  co_await sleep;
  co_return true;
}

/// Sleeps until a node at its cap has seen a call end, or refuses. True: worth another pick.
net::Task<bool> wait_for_slot(CallState& call, Progress& progress, std::uint64_t seen) {
  AdmissionQueue& queue = call.core.queue();
  if (!progress.slot_until) {
    progress.slot_until = after(call.loop.now(), call.config().backpressure.queue_timeout);
  }
  const Time until = *progress.slot_until;
  if (call.overtaken) {
    net::Task<bool> looking = look_later(call, until);
    const bool again = co_await looking;
    co_return again;
  }
  Turn turn(call);
  if (!queue.park(turn.waiter(), seen, call.loop.now())) co_return false;
  for (;;) {
    Turn::Wait wait(turn, until);
    const bool rung = co_await wait;
    if (turn.waiter().claim_node(call.loop.now())) co_return true;
    if (!rung) co_return false;
  }
}

/// The retry policy's word on what is to follow a failure.
RetryDecision after_failure(CallState& call, const Progress& progress, bool other_node) {
  const AttemptFailure& failure = *progress.last;
  const RetryPolicy policy({.max_retries = progress.retries + call.retries_left,
                            .backoff = call.config().router.backoff});
  return policy.decide({.failure = failure.kind,
                        .retries = progress.retries,
                        .same_node_retries = progress.same_node_retries,
                        .committed = call.committed && !progress.ladder.possible(call),
                        .other_node = other_node,
                        .retry_after = failure.retry_after,
                        .should_retry = failure.should_retry,
                        .deadline = call.deadline},
                       call.local.rng, call.loop.now());
}

/// Whether any node could do better with this request.
bool worth_retrying(const AttemptFailure& failure) noexcept {
  const FailureTraits& row = traits(failure.kind);
  return failure.should_retry.value_or(row.elsewhere || row.same_node);
}

/// Takes what a retry costs: one of the call's, one of the router's.
bool pay_for_retry(CallState& call, Progress& progress) {
  if (!call.core.budget().take(call.loop.now())) return false;
  --call.retries_left;
  ++progress.retries;
  progress.paid = true;
  return true;
}

/// How long to wait before the node that failed last is asked again; nothing when it is not.
std::optional<Duration> same_node_again(CallState& call, Progress& progress, PickMiss miss) {
  if (progress.paid || (miss != PickMiss::all_tried && miss != PickMiss::all_resting)) return {};
  if (call.fallback_left && call.retries_left <= 1) return {};
  const RetryDecision decision = after_failure(call, progress, false);
  if (decision.action != RetryDecision::Action::same_node) return {};
  if (!pay_for_retry(call, progress)) return {};
  ++progress.same_node_retries;
  return decision.wait;
}

/// Whether the failed attempt may be followed by one on the node just picked.
bool may_go_on(CallState& call, Progress& progress) {
  if (!progress.last || progress.paid) return true;
  return after_failure(call, progress, true).action == RetryDecision::Action::elsewhere &&
         pay_for_retry(call, progress);
}

/// Whether another node could take over if the one just picked stays silent.
bool others_left(CallState& call, NodeId present) {
  return call.retries_left > 0 &&
         call.local.reader.has_other(call.pick.model, call.tried, present, call.loop.now());
}

/// The clock of the first content, off for a node that nobody could take over from.
Duration first_content_limit(CallState& call, NodeId node) {
  const Duration limit = call.config().timeouts.first_content;
  return limit > Duration::zero() && others_left(call, node) ? limit : Duration::zero();
}

/// An attempt that goes on with a stream has led nowhere through no fault of its node's: this rung
/// of the ladder is of no use.
bool wrong_rung(const OpenAttempt& attempt) noexcept {
  const FailureKind kind = attempt.failure->kind;
  const bool no_such_path = attempt.ticket.rung() == Rung::ids && kind == FailureKind::absent_path;
  return attempt.ticket.rung() != Rung::none &&
         (kind == FailureKind::diverged || no_such_path || !traits(kind).elsewhere);
}

/// What the loop does next.
enum class After { pick, end };

/// A node that has not got the model says so by its own name for it; callers know another.
void show_alias(const CallState& call, OpenAttempt& attempt) {
  AttemptFailure& failure = *attempt.failure;
  const std::string_view model_id = attempt.ticket.model_id();
  if (failure.kind != FailureKind::model_not_found || model_id == call.pick.model) return;
  failure.body = wire::with_model_name(failure.body, model_id, call.pick.model);
}

void note_failure(const CallState& call, Progress& progress, OpenAttempt& attempt) {
  show_alias(call, attempt);
  progress.last = std::move(attempt.failure);
  progress.last_node = attempt.ticket.node().name();
  if (const int key = attempt.ticket.key_number()) {
    progress.last_node += fmt::format(" with key #{}", key);
  }
  progress.last_id = attempt.ticket.node().id();
}

After after_attempt(CallState& call, Progress& progress, OpenAttempt& attempt) {
  if (wrong_rung(attempt)) {
    progress.ladder.give_up(attempt.ticket.rung());
    if (!progress.last)
      note_failure(call, progress, attempt);  // a fallback's first: the only one it has
    return progress.ladder.possible(call) ? After::pick : After::end;
  }
  call.tried.push_back(attempt.ticket.node().id());
  if (traits(attempt.failure->kind).blames != Blame::nobody) {
    call.failed.push_back(attempt.ticket.node().id());
  }
  remember(call, progress, attempt);
  note_failure(call, progress, attempt);
  if (!worth_retrying(*progress.last)) return After::end;
  return !call.committed || progress.ladder.possible(call) ? After::pick : After::end;
}

/// No node could be picked: waits for what would change that. An error: nothing will.
net::Task<std::optional<Error>> wait_for_node(CallState& call, Progress& progress,
                                              const PickOutcome& picked, std::uint64_t freed) {
  if (picked.miss == PickMiss::all_busy) {
    const bool again = co_await wait_for_slot(call, progress, freed);
    if (again) co_return std::nullopt;
  }
  if (picked.miss == PickMiss::all_down && picked.retry_at != never &&
      call.config().router.all_down == AllDown::wait) {
    net::SleepUntil sleep(call.loop, picked.retry_at);
    co_await sleep;
    co_return std::nullopt;
  }
  if (!progress.last) {
    Error error = no_node(call, progress, picked);
    if (call.committed) error.code = ErrorCode::stream_interrupted;
    co_return error;
  }
  const std::optional<Duration> wait = same_node_again(call, progress, picked.miss);
  if (!wait) co_return given_up(call, progress);
  net::SleepUntil sleep(call.loop, after(call.loop.now(), *wait));
  co_await sleep;
  std::erase(call.tried, *progress.last_id);
  forget_rate_limits(call);
  co_return std::nullopt;
}

net::Task<Result<Reply>> attempts(CallState& call) {
  Progress progress;
  forget_rate_limits(call);  // of the model this one stands in for
  for (;;) {
    const std::uint64_t freed = call.core.queue().nodes_freed();
    PickOutcome picked = pick_node(call, call.tried);
    if (!picked) {
      if (turn_to_other_keys(call, progress)) continue;
      net::Task<std::optional<Error>> waiting = wait_for_node(call, progress, picked, freed);
      std::optional<Error> error = co_await waiting;
      if (error) co_return std::move(*error);
      continue;
    }
    if (!may_go_on(call, progress)) {
      picked.ticket.withdraw();
      co_return given_up(call, progress);
    }
    progress.paid = false;
    std::optional<Asking> asking{std::in_place};
    if (call.committed) {
      net::Task<std::optional<Asking>> deciding = progress.ladder.asking(call, picked.ticket);
      asking = co_await deciding;
      if (!asking) co_return given_up(call, progress);
    }
    const Duration limit = first_content_limit(call, picked.ticket.node().id());
    Opened attempt;
    if (const std::optional<Duration> delay = hedge_delay(call)) {
      net::Task<Raced> racing = race(call, std::move(picked.ticket), limit, *delay);
      Raced raced = co_await racing;
      if (raced.before && raced.before->failure) (void)after_attempt(call, progress, *raced.before);
      attempt = std::move(raced.last);
    } else {
      net::Task<Opened> opening = open(call, std::move(picked.ticket), std::move(*asking), limit);
      attempt = co_await opening;
    }
    if (!attempt->failure) {
      if (!call.stream()) co_return plain_reply(call, *attempt);
      net::Task<bool> pumping = pump(call, *attempt);
      const bool whole = co_await pumping;
      if (whole) co_return stream_reply(call, *attempt);
    }
    if (after_attempt(call, progress, *attempt) == After::end) co_return given_up(call, progress);
    if (call.committed && Ladder::only_end_missing(call)) {
      net::Task<Result<Reply>> ending = Ladder::end_by_length(call);
      Result<Reply> result = co_await ending;
      co_return result;
    }
  }
}

}  // namespace

net::Task<Result<Reply>> AttemptLayer::handle(CallState& call, Next) { return attempts(call); }

}  // namespace llmroute::detail
