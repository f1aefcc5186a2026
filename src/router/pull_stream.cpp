#include "router/pull_stream.hpp"

#include "router/router_core.hpp"
#include "router/wait.hpp"

namespace llmroute::detail {

void StreamState::Slot::head(const StreamHead& head) {
  reply_.http_status = head.http_status;
  reply_.headers = head.headers;
  reply_.node = head.node;
  reply_.request_id = head.request_id;
  reply_.rate = head.rate;
}

bool StreamState::Slot::offer(const Event& offered) {
  event = offered;
  return false;
}

StreamState::StreamState(std::shared_ptr<RouterCore> core, std::unique_ptr<WorkerLoop> worker,
                         const Request& request)
    : core_(std::move(core)),
      worker_(std::move(worker)),
      request_(request),
      slot_(worker_->loop.core(), reply_) {
  root_.emplace(core_, worker_->state, worker_->loop.core(), request_.get(), &slot_);
}

StreamState::~StreamState() {
  root_->end(Ending::cancelled);
  root_.reset();
  core_->loops().give(std::move(worker_));
}

Result<void> StreamState::open() {
  root_->start();
  turn_until_event();
  if (!slot_.event && error_) return std::move(*error_);
  fresh_ = true;
  return {};
}

Result<std::optional<Event>> StreamState::next() {
  if (worker_->loop.core().forked()) {
    return root_->state().fail(ErrorCode::forked, "the stream belongs to the parent process");
  }
  if (!fresh_) turn_until_event();
  fresh_ = false;
  if (slot_.event) return slot_.event;
  if (error_) return *error_;
  return std::optional<Event>{};
}

/// Lets go of the event the reader had, and turns the loop until there is another or the call is
/// over.
void StreamState::turn_until_event() {
  if (slot_.event) {
    slot_.event.reset();
    slot_.drained();
  }
  if (ended_) return;
  Wait wait(worker_->loop, *root_);
  while (!slot_.event && !root_->finished()) wait.turn();
  if (slot_.event) return;
  ended_ = true;
  Result<Reply> result = root_->take_result();
  if (result) {
    reply_ = std::move(*result);
  } else {
    error_ = std::move(result).error();
  }
}

}  // namespace llmroute::detail
