/// The object behind llmroute_loop.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <llmroute/net/event_loop.hpp>
#include <memory>
#include <vector>

#include "handle.hpp"
#include "llmroute.h"

namespace llmroute::capi {

class Listener;

/// A loop and the calls on it, which keep it: a call that is freed after its loop finds it still.
/// The list belongs to the loop's thread.
struct OwnLoop {
  /// The loop is the parent process's: it is not touched any more.
  bool forked() const noexcept { return process != ::getpid(); }

  EventLoop loop{};
  std::vector<Listener*> running{};
  const pid_t process = ::getpid();
};

}  // namespace llmroute::capi

struct llmroute_loop final : llmroute::capi::Handle {
  static constexpr auto kind = llmroute::capi::Kind::loop;
  llmroute_loop() : Handle(kind), own(std::make_shared<llmroute::capi::OwnLoop>()) {}
  void release() noexcept override;

  std::shared_ptr<llmroute::capi::OwnLoop> own;
  std::atomic<bool> turning{false};  // or a call is being started on it
};
