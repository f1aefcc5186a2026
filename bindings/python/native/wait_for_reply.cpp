#include "wait_for_reply.hpp"

#include <unistd.h>

#include <chrono>
#include <future>
#include <memory>
#include <optional>

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

Error left_to_parent() {
  return {.code = ErrorCode::forked, .message = "the call belongs to the parent process"};
}

/// None: without memory or a thread for it nothing has begun.
std::optional<Call> start(Core& core, const Request& request, Callbacks callbacks) {
  try {
    return core.router.start(request, std::move(callbacks));
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

Result<Reply> on_routers_thread(Core& core, const Request& request, Interrupt& interrupt) {
  const auto promise = std::make_shared<std::promise<Result<Reply>>>();
  std::future<Result<Reply>> reply = promise->get_future();
  Callbacks callbacks;
  callbacks.on_done = [promise](Result<Reply> result) { promise->set_value(std::move(result)); };
  std::optional<Call> call = start(core, request, std::move(callbacks));
  if (!call) return on_own_loop(core, request, interrupt);
  const pid_t process = getpid();
  while (reply.wait_for(between_questions) != std::future_status::ready) {
    if (interrupt.asked()) call->cancel();
    if (getpid() != process) return left_to_parent();  // a signal handler has forked
  }
  return reply.get();
}

/// One of the threads that wait, of this process.
class Waiting {
 public:
  explicit Waiting(Core& core) noexcept : core_(core), process_(getpid()) {
    if (core.process.exchange(process_) != process_) core.waiting = 0;
    count_ = ++core.waiting;
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() {
    if (getpid() == process_) --core_.waiting;
  }

  int count() const noexcept { return count_; }

 private:
  Core& core_;
  pid_t process_;
  int count_;
};

}  // namespace

Result<Reply> wait_for_reply(Core& core, const Request& request, Interrupt& interrupt) {
  const Waiting waiting(core);
  if (waiting.count() < crowd || core.calls_python || !has_gil) {
    return on_own_loop(core, request, interrupt);
  }
  return on_routers_thread(core, request, interrupt);
}

}  // namespace llmroute::python
