#include "layers/hedge.hpp"

#include <algorithm>

#include "layers/pick_node.hpp"
#include "router/loop_state.hpp"
#include "router/router_core.hpp"

namespace llmroute::detail {

namespace {

/// Sleeps until one of the attempts has ended, or a moment has come.
class Finish {
 public:
  explicit Finish(net::Loop& loop) noexcept : loop_(loop) {}
  Finish(const Finish&) = delete;
  Finish& operator=(const Finish&) = delete;

  static void tell(void* self) {
    auto* finish = static_cast<Finish*>(self);
    finish->told_ = true;
    if (finish->waiter_.handle) finish->loop_.wake(finish->waiter_);
  }

  class Wait {
   public:
    Wait(Finish& finish, Time until) noexcept : finish_(finish), until_(until) {}
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;

    bool await_ready() const noexcept { return finish_.told_; }
    void await_suspend(std::coroutine_handle<> handle) {
      finish_.waiter_.handle = handle;
      if (until_ == never) return;
      timer_.arm(
          finish_.loop_, until_,
          [](void* self) {
            auto* finish = static_cast<Finish*>(self);
            finish->loop_.wake(finish->waiter_);
          },
          &finish_);
    }
    void await_resume() noexcept {
      finish_.waiter_.handle = {};
      finish_.told_ = false;
    }

   private:
    Finish& finish_;
    Time until_;
    net::Timer timer_{};
  };

 private:
  net::Loop& loop_;
  net::Waiter waiter_{};
  bool told_ = false;
};

/// Another node, when there is one that has nothing better to do.
NodeTicket second_ticket(CallState& call, NodeId first) {
  std::vector<NodeId> besides = call.tried;
  besides.push_back(first);
  return std::move(pick_node(call, besides).ticket);
}

bool good(net::Task<Opened>& attempt) { return attempt.done() && !attempt.result()->failure; }

/// The trail ends with the attempt that the call goes on with.
void put_last(CallState& call, std::string_view node) {
  auto& trail = call.attempts;
  const auto winner = std::find_if(trail.rbegin(), trail.rend(), [&](const AttemptRecord& record) {
    return record.node == node && !record.error;
  });
  if (winner == trail.rend()) return;  // a stream's is written at its end
  std::rotate(std::prev(winner.base()), winner.base(), trail.end());
}

}  // namespace

std::optional<Duration> hedge_delay(CallState& call) {
  HedgePolicy& policy = call.core.hedges();
  if (!policy.enabled() || call.committed) return std::nullopt;
  return policy.delay(call.stream());
}

net::Task<Raced> race(CallState& call, NodeTicket ticket, Duration limit, Duration delay) {
  const NodeId first_id = ticket.node().id();
  Finish finish(call.loop);
  // Until the race is over the caller is shown nothing of either stream.
  net::Task<Opened> first = open(call, std::move(ticket), Asking{.quiet = true}, limit);
  first.start(&Finish::tell, &finish);
  const Time late = after(call.loop.now(), delay);
  Finish::Wait until_late(finish, late);
  co_await until_late;
  Raced raced;
  net::Task<Opened> second;
  Permit permit;
  if (!first.done()) {
    permit = call.core.queue().try_enter();
    NodeTicket other = permit ? second_ticket(call, first_id) : NodeTicket{};
    if (other && call.core.hedges().take()) {
      second = open(call, std::move(other), Asking{.quiet = true}, limit);
      second.start(&Finish::tell, &finish);
    } else {
      other.withdraw();
    }
  }
  while (!good(first) && !good(second) && !(first.done() && (!second || second.done()))) {
    Finish::Wait until_one_ends(finish, never);
    co_await until_one_ends;
  }
  const bool second_wins = !good(first) && second && second.done();
  net::Task<Opened>& kept = second_wins ? second : first;
  net::Task<Opened>& other = second_wins ? first : second;
  raced.last = std::move(kept.result());
  if (other.done()) {
    raced.before = std::move(other.result());
  } else {
    other.reset();
  }
  put_last(call, raced.last->ticket.node().config().name);
  co_return raced;
}

}  // namespace llmroute::detail
