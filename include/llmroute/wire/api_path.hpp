/// Paths of the API. A query behind them changes nothing in what they mean.
#pragma once

#include <string_view>

namespace llmroute::wire {

/// "/v1/embeddings" of "/v1/embeddings?api-version=1".
constexpr std::string_view without_query(std::string_view path) noexcept {
  return path.substr(0, path.find('?'));
}

/// Where a model answers one JSON object with another: what the router balances and may stream.
/// What is posted elsewhere it passes on as it is.
bool is_inference_path(std::string_view path) noexcept;

/// Where a stream is one of chunks, with [DONE] at its end.
bool streams_chunks(std::string_view path) noexcept;

}  // namespace llmroute::wire
