/// A clock turned by hand, for policies that are told the time.
#pragma once

#include <chrono>
#include <llmroute/core/time.hpp>

namespace llmroute::test {

using namespace std::chrono_literals;

/// Starts at a moment that is neither zero nor round, as real clocks do.
class ManualTime {
 public:
  Time now() const noexcept { return now_; }
  void advance(Duration by) noexcept { now_ += by; }
  operator Time() const noexcept { return now_; }

 private:
  Time now_{1000s + 123456789ns};
};

}  // namespace llmroute::test
