/// What a Python router and its calls share: the C++ router, and whether it was closed.
#pragma once

#include <unistd.h>

#include <atomic>
#include <llmroute/router.hpp>
#include <memory>

#include "gil.hpp"

namespace llmroute::python {

struct Core {
  Core(Router made, bool with_callbacks) : router(std::move(made)), calls_python(with_callbacks) {}

  /// A call that was cancelled because the router was closed says so.
  Error explain(Error error) const {
    if (error.code != ErrorCode::cancelled || !closed) return error;
    error.code = ErrorCode::shutting_down;
    error.message = "the router was closed during the call";
    return error;
  }

  Router router;
  const bool calls_python;  // has a strategy or an observer of Python's
  std::atomic<bool> closed{false};
  std::atomic<int> waiting{0};  // threads in wait_for_reply(), about: it settles only how they wait
  std::atomic<pid_t> process{getpid()};  // whose threads they are
};

/// The last to let go of the core joins the router's threads, which may want the GIL.
inline std::shared_ptr<Core> make_core(Router router, bool calls_python) {
  return {new Core(std::move(router), calls_python),
          [](Core* core) { without_gil([core] { delete core; }); }};
}

}  // namespace llmroute::python
