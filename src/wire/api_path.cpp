#include <algorithm>
#include <array>
#include <llmroute/wire/api_path.hpp>

namespace llmroute::wire {

namespace {

/// OpenAI's and Anthropic's paths, then those of vLLM, SGLang and llama.cpp. Asking such a node
/// again has no effect but the answer.
constexpr std::array<std::string_view, 20> inference_paths{
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/embeddings",
    "/v1/responses",
    "/v1/moderations",
    "/v1/messages",
    "/v1/messages/count_tokens",
    "/v1/rerank",
    "/v2/rerank",
    "/v1/score",
    "/rerank",
    "/score",
    "/pooling",
    "/classify",
    "/tokenize",
    "/detokenize",
    "/generate",
    "/completion",
    "/infill",
    "/inference/v1/generate",
};

}  // namespace

bool is_inference_path(std::string_view path) noexcept {
  return std::find(inference_paths.begin(), inference_paths.end(), without_query(path)) !=
         inference_paths.end();
}

bool streams_chunks(std::string_view path) noexcept {
  const std::string_view plain = without_query(path);
  return plain == "/v1/chat/completions" || plain == "/v1/completions";
}

}  // namespace llmroute::wire
