#include "error.hpp"

#include <llmroute/wire/check_json.hpp>
#include <llmroute/wire/error_body.hpp>

#include "boundary.hpp"
#include "headers.hpp"
#include "json.hpp"
#include "usage.hpp"

namespace capi = llmroute::capi;

namespace {

using llmroute::Error;

/// What there is to read when there is no error: nothing.
const Error& read(const llmroute_error* handle) noexcept {
  static const Error none;
  return capi::usable(handle) ? handle->error : none;
}

/// A node's refusal goes through as it came, where it is what a client can read.
std::string openai_body(const Error& error) {
  const bool refused = error.code == llmroute::ErrorCode::node_rejected && !error.body.empty();
  if (refused && llmroute::wire::check_json(error.body, "")) return error.body;
  return llmroute::wire::error_json(error);
}

}  // namespace

extern "C" {

llmroute_status llmroute_error_code(const llmroute_error* error) {
  return capi::usable(error) ? static_cast<llmroute_status>(error->error.code) : LLMROUTE_OK;
}

const char* llmroute_error_name(const llmroute_error* error) {
  return llmroute_status_name(llmroute_error_code(error));
}

const char* llmroute_error_message(const llmroute_error* error, size_t* len) {
  return capi::text_out(read(error).message, len);
}

int32_t llmroute_error_http_status(const llmroute_error* error) { return read(error).http_status; }

int32_t llmroute_error_client_status(const llmroute_error* error) {
  return capi::usable(error) ? error->error.client_status() : 0;
}

const char* llmroute_error_node(const llmroute_error* error, size_t* len) {
  return capi::text_out(read(error).node, len);
}

int64_t llmroute_error_retry_after_ms(const llmroute_error* error) {
  const std::optional<llmroute::Duration>& wait = read(error).retry_after;
  return wait ? std::chrono::ceil<std::chrono::milliseconds>(*wait).count() : -1;
}

const char* llmroute_error_param(const llmroute_error* error, size_t* len) {
  return capi::text_out(read(error).param, len);
}

const char* llmroute_error_partial(const llmroute_error* error, size_t* len) {
  return capi::text_out(read(error).partial, len);
}

const char* llmroute_error_body(const llmroute_error* error, size_t* len) {
  return capi::text_out(read(error).body, len);
}

const char* llmroute_error_request_id(const llmroute_error* error, size_t* len) {
  return capi::text_out(read(error).request_id, len);
}

const llmroute_headers* llmroute_error_headers(const llmroute_error* error) {
  return capi::usable(error) ? capi::headers_out(error->error.headers) : nullptr;
}

void llmroute_error_usage(const llmroute_error* error, llmroute_usage* usage_out) {
  if (usage_out != nullptr) *usage_out = capi::usage_out(read(error).usage);
}

llmroute_status llmroute_error_attempts(const llmroute_error* error, char** json_out,
                                        size_t* len_out) {
  return capi::give_json(json_out, len_out, nullptr, [&]() -> llmroute::Result<std::string> {
    if (!capi::usable(error)) return capi::not_usable("error");
    return capi::attempts_json(error->error.attempts);
  });
}

llmroute_status llmroute_error_openai(const llmroute_error* error, char** json_out,
                                      size_t* len_out) {
  return capi::give_json(json_out, len_out, nullptr, [&]() -> llmroute::Result<std::string> {
    if (!capi::usable(error)) return capi::not_usable("error");
    return openai_body(error->error);
  });
}

void llmroute_error_free(llmroute_error* error) {
  if (error != capi::error_without_memory()) capi::free_handle(error);
}

}  // extern "C"
