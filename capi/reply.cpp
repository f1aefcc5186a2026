#include "reply.hpp"

#include "boundary.hpp"
#include "headers.hpp"
#include "json.hpp"
#include "usage.hpp"

namespace capi = llmroute::capi;

namespace {

/// What there is to read when there is no reply: nothing.
const llmroute::Reply& read(const llmroute_reply* handle) noexcept {
  static const llmroute::Reply none;
  return capi::usable(handle) ? handle->get() : none;
}

}  // namespace

extern "C" {

int32_t llmroute_reply_http_status(const llmroute_reply* reply) { return read(reply).http_status; }

const char* llmroute_reply_body(const llmroute_reply* reply, size_t* len) {
  return capi::text_out(read(reply).body, len);
}

const char* llmroute_reply_node(const llmroute_reply* reply, size_t* len) {
  return capi::text_out(read(reply).node, len);
}

const char* llmroute_reply_model(const llmroute_reply* reply, size_t* len) {
  return capi::text_out(read(reply).model, len);
}

const char* llmroute_reply_request_id(const llmroute_reply* reply, size_t* len) {
  return capi::text_out(read(reply).request_id, len);
}

const llmroute_headers* llmroute_reply_headers(const llmroute_reply* reply) {
  return capi::usable(reply) ? capi::headers_out(reply->get().headers) : nullptr;
}

void llmroute_reply_usage(const llmroute_reply* reply, llmroute_usage* usage_out) {
  if (usage_out != nullptr) *usage_out = capi::usage_out(read(reply).usage);
}

int64_t llmroute_reply_time_us(const llmroute_reply* reply) {
  return capi::microseconds(read(reply).time);
}

int64_t llmroute_reply_first_content_us(const llmroute_reply* reply) {
  return capi::microseconds(read(reply).first_content);
}

llmroute_status llmroute_reply_attempts(const llmroute_reply* reply, char** json_out,
                                        size_t* len_out) {
  return capi::give_json(json_out, len_out, nullptr, [&]() -> llmroute::Result<std::string> {
    if (!capi::usable(reply)) return capi::not_usable("reply");
    return capi::attempts_json(reply->get().attempts);
  });
}

void llmroute_reply_free(llmroute_reply* reply) {
  if (capi::usable(reply) && !reply->is_part) capi::free_handle(reply);
}

}  // extern "C"
