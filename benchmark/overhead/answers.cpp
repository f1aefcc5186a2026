#include "answers.hpp"

#include <charconv>

namespace bench {
namespace {

constexpr std::string_view completion =
    R"({"id":"chatcmpl-b16b83d1b60e2cb3","object":"chat.completion","created":1795230919,)"
    R"("model":"m","choices":[{"index":0,"message":{"role":"assistant","content":)"
    R"("Hello there, how can I help you today?","refusal":null},"logprobs":null,)"
    R"("finish_reason":"stop","stop_reason":null}],"service_tier":null,)"
    R"("usage":{"prompt_tokens":29,"total_tokens":37,"completion_tokens":8},)"
    R"("prompt_logprobs":null,"kv_transfer_params":null})";

constexpr std::string_view event =
    R"(data: {"id":"chatcmpl-82c62a5d202843af","object":"chat.completion.chunk",)"
    R"("created":1795230919,"model":"m","choices":[{"index":0,"delta":{"content":" hello"},)"
    R"("logprobs":null,"finish_reason":null}]})"
    "\n\n";

std::string chunk(std::string_view bytes) {
  char size[16];
  const auto end = std::to_chars(size, size + sizeof size, bytes.size(), 16).ptr;
  return std::string(size, end).append("\r\n").append(bytes).append("\r\n");
}

}  // namespace

std::string plain_answer() {
  return std::string("HTTP/1.1 200 OK\r\nserver: uvicorn\r\ncontent-length: ")
      .append(std::to_string(completion.size()))
      .append("\r\ncontent-type: application/json\r\n\r\n")
      .append(completion);
}

std::string stream_head() {
  return "HTTP/1.1 200 OK\r\nserver: uvicorn\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
         "transfer-encoding: chunked\r\n\r\n";
}

std::string stream_chunk() { return chunk(event); }

std::string stream_end() { return chunk("data: [DONE]\n\n").append("0\r\n\r\n"); }

std::string_view question(bool stream) {
  if (stream)
    return R"({"model":"m","stream":true,"messages":[{"role":"user","content":"Say hello"}]})";
  return R"({"model":"m","messages":[{"role":"user","content":"Say hello"}]})";
}

std::string post(std::string_view body, std::string_view key) {
  const std::string shown = key.empty() ? "" : "Authorization: Bearer " + std::string(key) + "\r\n";
  return std::string("POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n")
      .append(shown)
      .append("Content-Type: application/json\r\nContent-Length: ")
      .append(std::to_string(body.size()))
      .append("\r\n\r\n")
      .append(body);
}

}  // namespace bench
