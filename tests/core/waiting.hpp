/// One that waits in an admission queue, for its tests.
#pragma once

#include <llmroute/core/admission_queue.hpp>
#include <string_view>

namespace llmroute::test {

/// One that waits and counts how often it was woken.
struct Waiting {
  explicit Waiting(std::string_view tenant = {}, int priority = 0, std::string_view model = {})
      : waiter([](void* self) { ++static_cast<Waiting*>(self)->woken; }, this, tenant, priority,
               model) {}
  int woken = 0;
  AdmissionWaiter waiter;
};

}  // namespace llmroute::test
