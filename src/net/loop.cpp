/// The turn of a loop: wait, hand to libcurl, resume what became ready, reap what is over.
#include "net/loop.hpp"

#include <algorithm>
#include <cassert>

#include "net/curl_multi.hpp"
#include "net/epoll_reactor.hpp"
#include "net/fork.hpp"

namespace llmroute::net {

namespace {

/// The loop whose turn this thread is in.
constinit thread_local Loop* turning = nullptr;

/// Ready work alone may fill so many turns before sockets are looked at again.
constexpr int turns_between_waits = 64;

}  // namespace

Loop::Turn::Turn(Loop& loop) : loop_(loop), outer_(turning) {
  assert(!loop.running_ && "a loop is not re-entrant");
  turning = &loop;
  loop.running_ = true;
  loop.budget_ = events_a_turn;
  loop.now_ = Clock::now();
}

Loop::Turn::~Turn() {
  loop_.reap();
  if (loop_.pollable_ && !loop_.borrowed_ && loop_.curl_->due() <= loop_.now_) {
    loop_.curl_->run_due();  // a request that was just started goes out now, not a turn later
    loop_.curl_->collect_finished();
  }
  loop_.running_ = false;
  turning = outer_;
  loop_.signal();
}

Loop::Loop()
    : now_(Clock::now()),
      generation_(fork_generation()),
      own_(std::make_unique<EpollReactor>()),
      reactor_(own_.get()),
      curl_(std::make_unique<CurlMulti>(*this, *reactor_)) {}

Loop::Loop(Reactor& host)
    : now_(Clock::now()),
      pollable_(true),
      generation_(fork_generation()),
      reactor_(&host),
      curl_(std::make_unique<CurlMulti>(*this, *reactor_)) {}

Loop::~Loop() {
  while (Errand* errand = std::exchange(first_errand_, nullptr)) {
    first_errand_ = errand->next_;
    const std::shared_ptr<void> keep = std::move(errand->keep_);
  }
  attachments_.clear();
  if (forked()) {
    CurlMulti::abandon(std::move(curl_));
    return;
  }
  borrowed_ = true;  // nobody is to be told of anything any more
  curl_.reset();
  if (!own_) reactor_->arm(never);
}

int Loop::fd() {
  if (!own_) return -1;
  if (!std::exchange(pollable_, true)) signal();
  return own_->fd();
}

void Loop::close_connections() noexcept { curl_->close_connections(); }

bool Loop::forked() const noexcept { return generation_ != fork_generation(); }
bool Loop::on_loop_thread() const noexcept { return turning == this; }

void* Loop::attachment(std::uint64_t owner) const noexcept {
  for (const Attachment& attachment : attachments_) {
    if (attachment.owner == owner) return attachment.kept.get();
  }
  return nullptr;
}

void Loop::attach(std::uint64_t owner, std::weak_ptr<const void> alive,
                  std::shared_ptr<void> kept) {
  std::erase_if(attachments_, [](const Attachment& old) { return old.alive.expired(); });
  attachments_.push_back({owner, std::move(alive), std::move(kept)});
}

void Loop::run_ready() {
  assert(own_ && "a host's reactor calls on_ready and on_timer");
  const Turn turn(*this);
  wait(Duration::zero());
  settle();
}

void Loop::run_for(Duration most) {
  assert(own_ && "a host's reactor calls on_ready and on_timer");
  const Turn turn(*this);
  if (!has_work() || ++turns_without_wait_ > turns_between_waits) {
    const bool ready = has_work();
    const Time until = std::min(after(now_, most), wake_at());
    wait(ready ? Duration::zero() : std::max(until - now_, Duration::zero()));
  }
  settle();
}

void Loop::on_ready(int fd, bool readable, bool writable, bool failed) {
  const Turn turn(*this);
  curl_->on_ready(fd, readable, writable, failed);
  settle();
}

void Loop::on_timer() {
  const Turn turn(*this);
  signalled_ = never;
  settle();
}

/// Waits for sockets and does what they ask for.
void Loop::wait(Duration most) {
  turns_without_wait_ = 0;
  curl_->flush();
  const auto ready = own_->wait(most);
  now_ = Clock::now();
  if (signalled_ <= now_) signalled_ = never;  // it has fired, or will be seen to have
  for (const auto& event : ready) {
    const bool failed = (event.events & (EPOLLERR | EPOLLHUP)) != 0;
    curl_->on_ready(event.data.fd, (event.events & EPOLLIN) != 0, (event.events & EPOLLOUT) != 0,
                    failed);
    --budget_;
  }
}

/// Does what follows from what has happened, until nothing does or it is the turn of others.
void Loop::settle() {
  for (;;) {
    if (has_posted_.load(std::memory_order_relaxed)) run_posted();
    while (budget_ > 0 && timers_.fire_one(now_)) --budget_;
    if (curl_->due() <= now_) {
      curl_->run_due();
      --budget_;
    }
    curl_->collect_finished();
    resume_ready();
    reap();
    if (budget_ <= 0 || !has_work()) return;
  }
}

void Loop::run_posted() {
  {
    const std::lock_guard lock(posted_mutex_);
    has_posted_.store(false, std::memory_order_relaxed);
    running_posted_.swap(posted_);
  }
  budget_ -= static_cast<int>(running_posted_.size());
  std::size_t done = 0;
  try {
    while (done < running_posted_.size()) running_posted_[done++]();
  } catch (...) {
    post_again(done);
    throw;
  }
  running_posted_.clear();
  run_errands();
}

void Loop::run_errands() {
  std::shared_ptr<void> keep;
  while (Errand* errand = take_errand(keep)) {
    --budget_;
    errand->run();
    keep.reset();
  }
}

Errand* Loop::take_errand(std::shared_ptr<void>& keep) noexcept {
  const std::lock_guard lock(posted_mutex_);
  Errand* errand = first_errand_;
  if (errand == nullptr || !posted_.empty()) return nullptr;  // that work may have been there first
  first_errand_ = std::exchange(errand->next_, nullptr);
  if (first_errand_ == nullptr) last_errand_ = nullptr;
  errand->posted_ = false;
  keep = std::move(errand->keep_);
  return errand;
}

/// What was behind work that threw keeps its place in the line.
void Loop::post_again(std::size_t first) {
  running_posted_.erase(running_posted_.begin(),
                        running_posted_.begin() + static_cast<std::ptrdiff_t>(first));
  const std::lock_guard lock(posted_mutex_);
  for (auto& work : posted_) running_posted_.push_back(std::move(work));
  posted_.swap(running_posted_);
  running_posted_.clear();
  if (!posted_.empty() || first_errand_ != nullptr) {
    has_posted_.store(true, std::memory_order_relaxed);
  }
}

void Loop::resume_ready() {
  for (; budget_ > 0 && ready_.linked(); --budget_) {
    auto* waiter = static_cast<Waiter*>(ready_.next);
    waiter->unlink();
    waiter->handle.resume();
  }
}

void Loop::reap() {
  while (doomed_.linked()) {
    auto* doomed = static_cast<Doomed*>(doomed_.next);
    doomed->unlink();
    doomed->reap();
  }
}

bool Loop::has_work() const noexcept {
  return ready_.linked() || doomed_.linked() || has_posted_.load(std::memory_order_relaxed) ||
         wake_at() <= now_;
}

Time Loop::wake_at() const noexcept { return std::min(timers_.next(), curl_->due()); }

/// Tells who waits on the descriptor, or the host, when to come. A moment later than the one told
/// before is not told: that one comes first, and finds nothing to do.
void Loop::signal() {
  if (!pollable_ || borrowed_) return;
  curl_->flush();
  Time at = wake_at();
  if (ready_.linked() || doomed_.linked() || has_posted_.load(std::memory_order_relaxed)) at = now_;
  if (at >= signalled_) return;
  signalled_ = at;
  reactor_->arm(at);
}

void Loop::wake(Waiter& waiter) {
  if (waiter.linked()) return;
  ready_.push_back(waiter);
  if (!running_) signal();
}

void Loop::doom(Doomed& doomed) {
  if (doomed.linked()) return;
  doomed_.push_back(doomed);
  if (!running_) signal();
}

void Loop::post(std::function<void()> work) {
  bool first = false;
  {
    const std::lock_guard lock(posted_mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(work));
    has_posted_.store(true, std::memory_order_relaxed);
  }
  if (first && !on_loop_thread()) reactor_->wake();
}

void Loop::post(Errand& errand, std::shared_ptr<void> keep) noexcept {
  bool first = false;
  {
    const std::lock_guard lock(posted_mutex_);
    if (std::exchange(errand.posted_, true)) return;
    errand.keep_ = std::move(keep);
    first = first_errand_ == nullptr;
    (first ? first_errand_ : last_errand_->next_) = &errand;
    last_errand_ = &errand;
    has_posted_.store(true, std::memory_order_relaxed);
  }
  if (first && !on_loop_thread()) reactor_->wake();
}

void SleepUntil::await_suspend(std::coroutine_handle<> handle) {
  waiter_.handle = handle;
  timer_.arm(
      loop_, at_,
      [](void* self) {
        auto* sleep = static_cast<SleepUntil*>(self);
        sleep->loop_.wake(sleep->waiter_);
      },
      this);
}

}  // namespace llmroute::net
