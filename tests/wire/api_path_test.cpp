// What a path of the API means, whatever query is behind it.
#include <catch2/catch.hpp>
#include <llmroute/wire/api_path.hpp>

using namespace llmroute::wire;

TEST_CASE("a query is no part of what a path means", "[api_path]") {
  CHECK(without_query("/v1/embeddings?a=1?b") == "/v1/embeddings");
  CHECK(without_query("/v1/embeddings") == "/v1/embeddings");
  CHECK(without_query("?") == "");
  CHECK(is_inference_path("/v1/embeddings"));
  CHECK(is_inference_path("/v1/embeddings?api-version=1"));
  CHECK(is_inference_path("/v1/messages/count_tokens?beta=true"));
  CHECK_FALSE(is_inference_path("/v1/images/generations"));
  CHECK_FALSE(is_inference_path("/v1/audio/speech"));
  CHECK_FALSE(is_inference_path("/v1/embeddings/1"));
  CHECK_FALSE(is_inference_path("/v1/files?for=/v1/embeddings"));
  CHECK(streams_chunks("/v1/chat/completions?"));
  CHECK(streams_chunks("/v1/completions"));
  CHECK_FALSE(streams_chunks("/v1/responses?stream=true"));
}
