/// What a call ends with when there is no memory, or no descriptor, to go on: an error that needs
/// neither.
#pragma once

#include <exception>
#include <llmroute/error.hpp>
#include <new>

namespace llmroute::detail {

/// Short enough for a string without an allocation.
inline Error out_of_memory() noexcept {
  return {.code = ErrorCode::internal, .message = "out of memory"};
}

/// What kept a call from beginning or going on, as an error: decision 5.
inline Error error_of(const std::exception& thrown) noexcept {
  try {
    return {
        .code = ErrorCode::internal, .message = thrown.what(), .thrown = std::current_exception()};
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  }
}

/// `f()`, which gives a Result; what it throws becomes its error.
template <class F>
auto without_throwing(F&& f) noexcept -> decltype(f()) {
  try {
    return f();
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  } catch (const std::exception& thrown) {
    return error_of(thrown);
  }
}

}  // namespace llmroute::detail
