#include "router/call_root.hpp"

#include <fmt/format.h>

#include "router/no_memory.hpp"
#include "router/router_core.hpp"

namespace llmroute::detail {

CallRoot::CallRoot(std::shared_ptr<RouterCore> core, LoopState& local, net::Loop& loop,
                   const Request& request, Sink* sink)
    : core_(std::move(core)), state_(*core_, local, loop, request, sink) {}

CallRoot::~CallRoot() {
  if (!finished()) state_.ending = Ending::cancelled;
}

void CallRoot::start() {
  entry_.root = this;
  state_.local.roots.push_back(entry_);
  state_.loop.inside([this] { begin(); });
}

/// Without memory for the first step the call is over as it begins.
void CallRoot::begin() noexcept {
  try {
    if (state_.deadline != never) {
      deadline_.arm(state_.loop, state_.deadline, &CallRoot::on_deadline, this);
    }
    task_ = Next{core_->chain()}(state_);
  } catch (const std::bad_alloc&) {
    return end(Ending::no_memory);
  }
  task_.start(&CallRoot::on_task_done, this);
}

void CallRoot::end(Ending why) {
  if (finished() || state_.ending != Ending::running) return;
  state_.ending = why;
  if (state_.loop.running()) {
    state_.loop.doom(*this);  // a frame of this very call may be on the stack
  } else {
    reap();
  }
}

void CallRoot::on_task_done(void* self) {
  auto* root = static_cast<CallRoot*>(self);
  if (root->state_.ending == Ending::running) root->state_.ending = Ending::finished;
  root->state_.loop.doom(*root);
}

void CallRoot::on_deadline(void* self) { static_cast<CallRoot*>(self)->end(Ending::deadline); }

void CallRoot::reap() noexcept {
  const bool done = task_.done();
  const Duration waited = state_.elapsed();
  try {
    if (done) return conclude(outcome_of_task());
    task_.reset();  // every layer's frame, innermost first
    conclude(outcome_of_ending(waited));
  } catch (const std::bad_alloc&) {
    task_.reset();
    conclude(out_of_memory());
  }
}

/// Why a call has no answer whose task did not come to its end.
Error CallRoot::outcome_of_ending(Duration waited) const {
  switch (state_.ending) {
    case Ending::deadline:
      return state_.fail(ErrorCode::deadline_exceeded,
                         fmt::format("deadline of {:.3g} s over for \"{}\"; attempts made: {}",
                                     seconds(waited), state_.model, state_.attempts.size()));
    case Ending::shutting_down:
      return state_.fail(ErrorCode::shutting_down, "the router was closed during the call");
    case Ending::no_memory:
      return out_of_memory();
    default:
      return state_.fail(ErrorCode::cancelled, "the call was cancelled");
  }
}

/// An exception that reached the root is this side's fault: out of memory, or a strategy of the
/// user's that throws.
Result<Reply> CallRoot::outcome_of_task() {
  try {
    Result<Reply> result = std::move(task_.result());
    task_.reset();
    return result;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& thrown) {
    return outcome_of_exception(fmt::format("the call ended by an exception: {}", thrown.what()));
  } catch (...) {
    return outcome_of_exception("the call ended by an exception");
  }
}

Error CallRoot::outcome_of_exception(std::string message) {
  Error error = state_.fail(ErrorCode::internal, std::move(message));
  error.thrown = std::current_exception();
  task_.reset();
  return error;
}

void CallRoot::conclude(Result<Reply> result) noexcept {
  deadline_.disarm();
  entry_.unlink();
  state_.permit = {};
  if (state_.rate_hold && result) {
    state_.rate_hold->settle(state_.tokens_spent(state_.usage), state_.loop.now());
  }
  state_.rate_hold.reset();
  result_.emplace(std::move(result));
  if (core_->observed()) tell_of_end();
  on_end();  // may destroy this
}

void CallRoot::tell_of_end() {
  const bool good = result_->has_value();
  const std::vector<AttemptRecord>& attempts =
      good ? (*result_)->attempts : result_->error().attempts;
  core_->tell(
      CallEvent{.request_id = state_.request_id,
                .model = state_.model,
                .tenant = state_.request.options.tenant,
                .node = attempts.empty() ? std::string_view{} : attempts.back().node,
                .stream = state_.stream(),
                .error = good ? std::nullopt : std::optional(result_->error().code),
                .http_status = good ? (*result_)->http_status : result_->error().client_status(),
                .attempts = static_cast<int>(attempts.size()),
                .usage = state_.usage,
                .time = state_.elapsed(),
                .first_content = state_.first_content});
}

}  // namespace llmroute::detail
