/// A list and a timer.
#include "late_heads.hpp"

namespace gateway {

void LateHead::leave() noexcept {
  if (list_ == nullptr) return;
  (before_ != nullptr ? before_->next_ : list_->first_) = next_;
  (next_ != nullptr ? next_->before_ : list_->last_) = before_;
  list_ = nullptr;
}

LateHeads::LateHeads(boost::asio::io_context& context, llmroute::Duration wait)
    : wait_(wait), timer_(context) {}

void LateHeads::join(LateHead& head, llmroute::Time now) {
  head.list_ = this;
  head.due_ = now + wait_;
  head.before_ = last_;
  head.next_ = nullptr;
  (last_ != nullptr ? last_->next_ : first_) = &head;
  last_ = &head;
  if (!armed_) arm();
}

/// Once armed it runs to its end: a head that left meanwhile only makes it look again, which is
/// cheaper than disarming for every stream that begins in time.
void LateHeads::arm() {
  timer_.expires_at(first_->due_);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) on_timer();
  });
  armed_ = true;
}

void LateHeads::on_timer() {
  armed_ = false;
  const llmroute::Time now = llmroute::Clock::now();
  while (first_ != nullptr && first_->due_ <= now) {
    LateHead& due = *first_;
    due.leave();
    due.send_head();
  }
  if (first_ != nullptr && !armed_) arm();
}

}  // namespace gateway
