/// The line between C and C++: texts and structs come in, results go out as status numbers, and
/// nothing is thrown across.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <llmroute/result.hpp>
#include <new>
#include <string>
#include <string_view>

#include "llmroute.h"

namespace llmroute::capi {

/// An error that names the parameter it is about.
Error refusal(ErrorCode code, std::string_view parameter, std::string_view why);

/// Why an object is of no use in a forked child.
inline constexpr std::string_view of_parent = "belongs to the parent process";

/// An invalid_argument.
Error misuse(std::string_view parameter, std::string_view why);

/// The usual one: NULL, or no object of its kind, or one that was freed.
Error not_usable(std::string_view parameter);

/// Text as it was given. NULL with a length, or a length that no text can have, is misuse.
Result<std::string_view> text_in(const char* text, std::size_t len, std::string_view parameter);

/// Hands text out: where it begins, never NULL, and through `len`, if given, how long it is.
inline const char* text_out(std::string_view text, std::size_t* len = nullptr) noexcept {
  if (len != nullptr) *len = text.size();
  return text.data() == nullptr ? "" : text.data();
}

/// Hands a copy out, for llmroute_text_free. Throws std::bad_alloc.
void copy_out(std::string_view text, char** out, std::size_t* len_out);

/// Writes the error, if it is asked for, and gives its number. Without memory for it the caller
/// gets one that was made before.
llmroute_status give(llmroute_error** error_out, Error error) noexcept;

/// The error that is always there. Freeing it does nothing.
llmroute_error* error_without_memory() noexcept;

/// `f()` gives a Result; what it throws becomes an error as well.
template <class F>
llmroute_status guarded(llmroute_error** error_out, F&& f) noexcept {
  if (error_out != nullptr) *error_out = nullptr;
  try {
    Result<void> done = std::forward<F>(f)();
    return done ? LLMROUTE_OK : give(error_out, std::move(done).error());
  } catch (const std::bad_alloc&) {
    if (error_out != nullptr) *error_out = error_without_memory();
  } catch (const std::exception& thrown) {
    return give(error_out, {.code = ErrorCode::internal, .message = thrown.what()});
  } catch (...) {
    return give(error_out, {.code = ErrorCode::internal});
  }
  return LLMROUTE_INTERNAL;
}

/// The same where no error is asked for: why is clear from the number.
template <class F>
llmroute_status guarded(F&& f) noexcept {
  return guarded(nullptr, std::forward<F>(f));
}

/// A struct that may be shorter or longer than ours: what it lacks is zero, what we do not know has
/// to be.
template <class T>
Result<T> struct_in(const T* given, std::string_view parameter) {
  static_assert(sizeof(T) % 8 == 0, "structs grow in steps of 8 bytes, without padding at the end");
  constexpr std::size_t most = 4096;  // a length beyond it is garbage, not a later version
  if (given == nullptr) return not_usable(parameter);
  std::size_t size = 0;
  std::memcpy(&size, given, sizeof size);
  if (size < sizeof size || size > most || size % sizeof size != 0) {
    return misuse(parameter, "struct_size is not that of any version");
  }
  const char* const bytes = reinterpret_cast<const char*>(given);
  for (std::size_t i = sizeof(T); i < size; ++i) {
    if (bytes[i] != 0) return misuse(parameter, "has a field that this version does not know");
  }
  T out{};
  std::memcpy(&out, given, std::min(size, sizeof(T)));
  return out;
}

/// While it lives, this thread is inside a function of the caller's.
class InCallback {
 public:
  InCallback() noexcept { ++depth; }
  ~InCallback() { --depth; }
  InCallback(const InCallback&) = delete;
  InCallback& operator=(const InCallback&) = delete;
  static bool now() noexcept { return depth > 0; }

 private:
  static inline thread_local int depth = 0;
};

/// The same for a function that is called in the middle of a choice between nodes. A call that
/// began on the same loop meanwhile would take away the list that the choice is made from.
class InChoice {
 public:
  InChoice() noexcept { ++depth; }
  ~InChoice() { --depth; }
  InChoice(const InChoice&) = delete;
  InChoice& operator=(const InChoice&) = delete;
  static bool now() noexcept { return depth > 0; }

 private:
  const InCallback inside_{};
  static inline thread_local int depth = 0;
};

}  // namespace llmroute::capi
