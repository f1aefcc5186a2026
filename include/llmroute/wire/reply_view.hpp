/// What a plain answer's JSON says beside the answer itself.
#pragma once

#include <cstddef>
#include <llmroute/usage.hpp>
#include <string_view>

namespace llmroute::wire {

struct ReplyView {
  bool json_ok = false;  ///< a whole JSON object
  /// It has an `error` that is not null and not a response object's own: no answer, whatever the
  /// status said.
  bool is_error = false;
  std::size_t model_offset = 0;  ///< of the `model` string, quotes included
  std::size_t model_length = 0;  ///< 0: there is none
  Usage usage{};
};

ReplyView read_reply(std::string_view body);

}  // namespace llmroute::wire
