/// What the router knows, as JSON texts: always valid UTF-8, numbers always finite.
#pragma once

#include <llmroute/router.hpp>
#include <span>
#include <string>

#include "boundary.hpp"

namespace llmroute::capi {

std::string snapshot_json(const Snapshot& snapshot);
std::string explanation_json(const Explanation& explanation);
std::string names_json(std::span<const std::string> names);
std::string attempts_json(std::span<const AttemptRecord> attempts);

/// Hands out the text that `f()` makes, or its error.
template <class F>
llmroute_status give_json(char** json_out, std::size_t* len_out, llmroute_error** error_out,
                          F&& f) noexcept {
  if (json_out != nullptr) *json_out = nullptr;
  return guarded(error_out, [&]() -> Result<void> {
    if (json_out == nullptr) return not_usable("json_out");
    Result<std::string> json = std::forward<F>(f)();
    if (!json) return std::move(json).error();
    copy_out(*json, json_out, len_out);
    return {};
  });
}

}  // namespace llmroute::capi
