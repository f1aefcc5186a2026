// What nodes say when they refuse, and what is made of it for the caller.
#include <llmroute/wire/error_body.hpp>
#include <string>

#include "fuzz/fuzz.hpp"

using namespace llmroute::fuzz;
using namespace llmroute::wire;

LLMROUTE_FUZZ_TARGET(error_body) {
  if (input.empty()) return;
  const int status = 300 + static_cast<unsigned char>(input[0]);
  const ErrorBody read = read_error_body(status, input.substr(1));
  const std::string shown = redacted(read.message);
  require(redacted(shown) == shown, "nothing is left to redact");
  const std::string json = error_json(read.message, read.type, "param", read.code);
  if (!is_json_object(input.substr(1))) return;  // its texts need not be UTF-8
  require(is_json_object(json), "the caller gets JSON");
  require(read_error_body(status, json).message == read.message, "with the node's words");
}
