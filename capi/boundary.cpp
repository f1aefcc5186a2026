#include "boundary.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <limits>

#include "error.hpp"

namespace llmroute::capi {

Error refusal(ErrorCode code, std::string_view parameter, std::string_view why) {
  return {.code = code,
          .message = fmt::format("{}: {}", parameter, why),
          .param = std::string(parameter)};
}

Error misuse(std::string_view parameter, std::string_view why) {
  return refusal(ErrorCode::invalid_argument, parameter, why);
}

Error not_usable(std::string_view parameter) {
  return misuse(parameter, "is NULL, was freed, or is something else");
}

Result<std::string_view> text_in(const char* text, std::size_t len, std::string_view parameter) {
  if (len > static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max())) {
    return misuse(parameter, "is longer than memory");
  }
  if (text == nullptr && len > 0) return misuse(parameter, "is NULL, with a length");
  return len == 0 ? std::string_view{} : std::string_view{text, len};
}

void copy_out(std::string_view text, char** out, std::size_t* len_out) {
  auto* copy = static_cast<char*>(std::malloc(text.size() + 1));
  if (copy == nullptr) throw std::bad_alloc();
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  *out = copy;
  if (len_out != nullptr) *len_out = text.size();
}

llmroute_error* error_without_memory() noexcept {
  alignas(llmroute_error) static std::byte place[sizeof(llmroute_error)];
  static auto* const error = new (place) llmroute_error(
      Error{.code = ErrorCode::internal, .message = "out of memory"});  // short: takes none
  return error;
}

llmroute_status give(llmroute_error** error_out, Error error) noexcept {
  const auto status = static_cast<llmroute_status>(error.code);
  if (error_out == nullptr) return status;
  *error_out = new (std::nothrow) llmroute_error(std::move(error));
  if (*error_out == nullptr) *error_out = error_without_memory();
  return status;
}

}  // namespace llmroute::capi

extern "C" void llmroute_text_free(char* text) { std::free(text); }
