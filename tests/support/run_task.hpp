/// Running a coroutine of a test to its end on a loop, with a limit so that a hang is a failure.
#pragma once

#include <chrono>
#include <llmroute/core/time.hpp>
#include <stdexcept>
#include <utility>

#include "net/loop.hpp"
#include "net/task.hpp"

namespace llmroute::test {

inline constexpr Duration task_patience = std::chrono::seconds(30);

/// Starts a task whose end is awaited by turning the loop elsewhere.
template <class T>
void start(net::Loop& loop, net::Task<T>& task) {
  loop.inside([&] { task.start(nullptr, nullptr); });
}

/// Turns the loop until `reached()`; false when that does not happen.
template <class F>
bool turn_until(net::Loop& loop, F&& reached, Duration most = task_patience) {
  const Time until = after(Clock::now(), most);
  while (!reached()) {
    if (Clock::now() >= until) return false;
    loop.run_for(std::chrono::milliseconds(20));  // so that what other threads do is seen as well
  }
  return true;
}

template <class T>
T run(net::Loop& loop, net::Task<T> task) {
  start(loop, task);
  if (!turn_until(loop, [&] { return task.done(); })) throw std::runtime_error("the task hangs");
  return std::move(task.result());
}

}  // namespace llmroute::test
