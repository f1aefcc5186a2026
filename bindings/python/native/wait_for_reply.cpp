#include "wait_for_reply.hpp"

#include <unistd.h>

#include <chrono>
#include <memory>
#include <optional>

#include "gil_line.hpp"

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

/// Ends with the GIL.
struct Turn {
  Turn() = default;
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    if (begins) GilLine::instance().call_next();
  }

  bool begins = false;
};

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

struct Answer {
  PlaceInLine place{};
  std::optional<Result<Reply>> reply{};
};

Result<Reply> on_routers_thread(Core& core, const Request& request, Interrupt& interrupt,
                                Turn& turn) {
  const auto answer = std::make_shared<Answer>();
  Callbacks callbacks;
  callbacks.on_done = [answer](Result<Reply> result) {
    answer->reply.emplace(std::move(result));
    GilLine::instance().enter({answer, &answer->place});
  };
  std::optional<Call> call = start(core, request, std::move(callbacks));
  if (!call) return on_own_loop(core, request, interrupt);
  const pid_t process = getpid();
  while (!answer->place.wait(between_questions)) {
    if (interrupt.asked()) call->cancel();
    if (getpid() != process) return left_to_parent();  // a signal handler has forked
  }
  turn.begins = true;
  return std::move(*answer->reply);
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
  Turn turn;
  return without_gil([&] {
    const Waiting waiting(core);
    if (waiting.count() < crowd || core.calls_python || !has_gil) {
      return on_own_loop(core, request, interrupt);
    }
    return on_routers_thread(core, request, interrupt, turn);
  });
}

}  // namespace llmroute::python
