/// Error bodies: what nodes say when they refuse, and what callers of an OpenAI API expect to read.
#pragma once

#include <llmroute/error.hpp>
#include <string>
#include <string_view>

namespace llmroute::wire {

struct ErrorBody {
  enum class Kind { other, model_not_found, context_length, content_filter, quota, auth };
  Kind kind = Kind::other;
  std::string message{};
  std::string type{};
  std::string code{};
};

/// Reads what OpenAI, vLLM ({"detail":...} for paths), llama.cpp and proxies in front of them send.
/// Anything else has kind other and no message.
ErrorBody read_error_body(int http_status, std::string_view body);

/// {"error":{"message","type","param","code"}}
std::string error_json(std::string_view message, std::string_view type, std::string_view param,
                       std::string_view code);
std::string error_json(const Error& error);

/// `text` with key-shaped tokens (sk-..., Bearer ...) replaced: node error texts quote the key they
/// refuse.
std::string redacted(std::string_view text);

}  // namespace llmroute::wire
