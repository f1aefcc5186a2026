#include "wait_for_reply.hpp"

#include <chrono>
#include <future>
#include <memory>

namespace llmroute::python {

namespace {

#ifdef Py_GIL_DISABLED
constexpr bool has_gil = false;
#else
constexpr bool has_gil = true;
#endif

constexpr std::chrono::milliseconds between_questions{50};

Result<Reply> on_own_loop(Core& core, Request request, Interrupt& interrupt) {
  request.options.interrupted = [&interrupt] { return interrupt.asked(); };
  return core.router.route(request);
}

Result<Reply> on_routers_thread(Core& core, const Request& request, Interrupt& interrupt) {
  const auto promise = std::make_shared<std::promise<Result<Reply>>>();
  std::future<Result<Reply>> reply = promise->get_future();
  Callbacks callbacks;
  callbacks.on_done = [promise](Result<Reply> result) { promise->set_value(std::move(result)); };
  Call call = core.router.start(request, std::move(callbacks));
  while (reply.wait_for(between_questions) != std::future_status::ready) {
    if (interrupt.asked()) call.cancel();
  }
  return reply.get();
}

/// Counts the threads that wait.
class Waiting {
 public:
  explicit Waiting(std::atomic<int>& count) noexcept : count_(count), others_(count_++) {}
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() { --count_; }

  bool alone() const noexcept { return others_ == 0; }

 private:
  std::atomic<int>& count_;
  int others_;
};

}  // namespace

Result<Reply> wait_for_reply(Core& core, const Request& request, Interrupt& interrupt) {
  const Waiting waiting(core.waiting);
  const bool alone = waiting.alone() || core.calls_python || !has_gil;
  return alone ? on_own_loop(core, request, interrupt)
               : on_routers_thread(core, request, interrupt);
}

}  // namespace llmroute::python
