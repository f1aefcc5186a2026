/// A loop on the reactor of its host: here a small one on poll(), as a program with a loop of its
/// own would write it.
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <llmroute/net/event_loop.hpp>
#include <map>
#include <thread>

#include "net/transfer_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;
using net::Chunk;
using net::Task;

namespace {

class PollReactor : public Reactor {
 public:
  PollReactor() : wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  PollReactor(const PollReactor&) = delete;
  PollReactor& operator=(const PollReactor&) = delete;
  ~PollReactor() override { ::close(wake_); }

  void watch(int fd, Interest interest) override {
    if (interest == Interest::none) {
      watched_.erase(fd);
    } else {
      watched_[fd] =
          static_cast<short>(((static_cast<unsigned>(interest) & 1U) != 0 ? POLLIN : 0) |
                             ((static_cast<unsigned>(interest) & 2U) != 0 ? POLLOUT : 0));
    }
  }
  void arm(Time at) override { at_ = at; }
  void wake() override { eventfd_write(wake_, 1); }

  /// One round: waits for whatever comes first and tells the loop.
  void turn(EventLoop& loop) {
    std::vector<pollfd> fds{{wake_, POLLIN, 0}};
    for (const auto& [fd, events] : watched_) fds.push_back({fd, events, 0});
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(at_ - Clock::now()).count();
    const long most = at_ == never ? 20'000 : std::clamp<long>(wait, 0, 20'000);
    ::poll(fds.data(), fds.size(), static_cast<int>(most));
    eventfd_t count = 0;
    const bool woken = eventfd_read(wake_, &count) == 0;
    if (woken || at_ <= Clock::now()) {
      at_ = never;
      loop.on_timer();
    }
    for (std::size_t i = 1; i < fds.size(); ++i) {
      const short got = fds[i].revents;
      if (got == 0 || !watched_.contains(fds[i].fd)) continue;
      loop.on_ready(fds[i].fd, (got & POLLIN) != 0, (got & POLLOUT) != 0,
                    (got & (POLLERR | POLLHUP)) != 0);
    }
  }

  std::size_t watched() const noexcept { return watched_.size(); }
  Time armed() const noexcept { return at_; }

 private:
  int wake_;
  std::map<int, short> watched_{};
  Time at_ = never;
};

}  // namespace

TEST_CASE("a loop on its host's reactor", "[net][reactor]") {
  PollReactor reactor;
  ScriptedUpstream node([](const SeenRequest&) { return event_stream({sse("a"), done()}); });
  const net::Endpoint to = endpoint(node);
  {
    EventLoop loop(reactor);
    CHECK(loop.fd() == -1);

    SECTION("does calls") {
      std::vector<Task<Fetched>> calls;
      for (int i = 0; i < 20; ++i) {
        calls.push_back(fetching(loop.core(), to, "{}", {}));
        start(loop.core(), calls.back());
      }
      for (auto& call : calls) {
        while (!call.done()) reactor.turn(loop);
        CHECK(call.result().body == sse("a") + done());
      }
    }
    SECTION("runs what other threads post") {
      bool ran = false;
      std::thread thread([&] { loop.post([&] { ran = true; }); });
      while (!ran) reactor.turn(loop);
      thread.join();
    }
    SECTION("gives up what is destroyed in mid-air") {
      Task<Fetched> call = fetching(loop.core(), to, "{}", {});
      start(loop.core(), call);
      call.reset();
    }
  }
  CHECK(reactor.watched() == 0);
  CHECK(reactor.armed() == never);
}
