/// What a request's body asks for: a model, perhaps a stream.
#pragma once

#include <http/message.hpp>
#include <llmroute/result.hpp>
#include <string>

namespace gateway {

struct Asked {
  std::string model{};
  bool stream = false;
};

/// Checks the whole body. JSON, or for paths that take them a form (multipart/form-data). Errors
/// are invalid_argument and name the field.
llmroute::Result<Asked> read_asked(const http::Request& request);

}  // namespace gateway
