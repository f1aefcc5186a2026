/// A place in a JSON text.
#pragma once

#include <cstddef>

namespace llmroute::wire {

/// Where a value stands; length 0: it is not there.
struct Span {
  std::size_t offset = 0;
  std::size_t length = 0;
};

}  // namespace llmroute::wire
