/// What a Python router and its calls share: the C++ router, and whether it was closed.
#pragma once

#include <atomic>
#include <llmroute/router.hpp>
#include <memory>

#include "gil.hpp"

namespace llmroute::python {

struct Core {
  explicit Core(Router made) : router(std::move(made)) {}

  /// A call that was cancelled because the router was closed says so.
  Error explain(Error error) const {
    if (error.code != ErrorCode::cancelled || !closed) return error;
    error.code = ErrorCode::shutting_down;
    error.message = "the router was closed during the call";
    return error;
  }

  Router router;
  std::atomic<bool> closed{false};
};

/// The last to let go of the core joins the router's threads, which may want the GIL.
inline std::shared_ptr<Core> make_core(Router router) {
  return {new Core(std::move(router)), [](Core* core) { without_gil([core] { delete core; }); }};
}

}  // namespace llmroute::python
