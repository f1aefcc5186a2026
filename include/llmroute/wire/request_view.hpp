/// What routing needs to know of a request's JSON, and where the few fields stand that it may have
/// to change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <llmroute/result.hpp>
#include <llmroute/wire/span.hpp>
#include <string>
#include <string_view>

namespace llmroute::wire {

/// Bytes of a model's name. What is kept of names that callers make up is bounded by it.
inline constexpr std::size_t longest_model = 256;

struct RequestView {
  std::string model{};  ///< unescaped; empty: see has_model
  std::string user{};
  bool has_model = false;
  bool stream = false;
  bool include_usage = false;    ///< stream_options.include_usage is true
  std::uint32_t max_tokens = 0;  ///< max_completion_tokens or max_tokens; 0: not given
  int choices = 1;               ///< `n`
  Span model_at{};               ///< quotes included
  Span stream_at{};
  Span stream_options_at{};     ///< the whole object, or null
  std::size_t object_open = 0;  ///< just behind the first brace
  bool empty_object = true;
};

/// Reads on demand: judges the fields above and leaves the rest to the node. A body that is no
/// object, a field of the wrong type or one given twice, and a model's name that is too long, is an
/// invalid_argument that names it in `param`.
Result<RequestView> read_request(std::string_view body);

}  // namespace llmroute::wire
