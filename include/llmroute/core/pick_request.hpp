/// What a strategy may know of the request it places.
#pragma once

#include <cstdint>
#include <string_view>

namespace llmroute {

/// Views belong to the call and live as long as the pick.
struct PickRequest {
  std::string_view model{};         ///< the id nodes are asked for
  std::string_view session_key{};   ///< empty: none
  std::uint32_t prompt_tokens = 0;  ///< estimate from the body's length; 0: unknown
  std::uint32_t output_tokens = 0;  ///< max_tokens; 0: unknown
  bool stream = false;
};

}  // namespace llmroute
