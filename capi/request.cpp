#include "request.hpp"

#include <algorithm>
#include <array>

namespace llmroute::capi {

namespace {

constexpr std::array<std::optional<Resume>, 4> resume_modes{std::nullopt, Resume::off, Resume::safe,
                                                            Resume::best_effort};

struct TextOption {
  const char* text;
  std::size_t len;
  const char* name;
  std::string_view& out;
};

Result<void> read_headers(const llmroute_call_options& from, Headers& out) {
  constexpr std::size_t most = 10'000;  // a number beyond it is garbage
  if (from.header_count > most || (from.headers == nullptr && from.header_count > 0)) {
    return misuse("options.headers", "is NULL, or header_count is no count");
  }
  for (std::size_t i = 0; i < from.header_count; ++i) {
    const llmroute_field& field = from.headers[i];
    const Result<std::string_view> name = text_in(field.name, field.name_len, "options.headers");
    const Result<std::string_view> value = text_in(field.value, field.value_len, "options.headers");
    if (!name) return name.error();
    if (!value) return value.error();
    out.add(std::string(*name), std::string(*value));
  }
  return {};
}

Result<void> read_options(const llmroute_call_options& from, Request& out) {
  const TextOption texts[] = {
      {from.path, from.path_len, "options.path", out.path},
      {from.tenant, from.tenant_len, "options.tenant", out.options.tenant},
      {from.session_key, from.session_key_len, "options.session_key", out.options.session_key},
      {from.request_id, from.request_id_len, "options.request_id", out.options.request_id},
      {from.model, from.model_len, "options.model", out.options.model}};
  for (const TextOption& option : texts) {
    const Result<std::string_view> text = text_in(option.text, option.len, option.name);
    if (!text) return text.error();
    if (!text->empty()) option.out = *text;
  }
  if (from.resume < 0 || from.resume >= static_cast<std::int32_t>(resume_modes.size())) {
    return misuse("options.resume", "is none of LLMROUTE_RESUME_...");
  }
  constexpr std::uint32_t most_attempts = 1'000;
  out.options.resume = resume_modes[static_cast<std::size_t>(from.resume)];
  out.options.priority = from.priority;
  if (from.timeout_ms != 0) out.options.deadline = std::chrono::milliseconds(from.timeout_ms);
  if (from.max_attempts != 0) {
    out.options.max_retries = static_cast<int>(std::min(from.max_attempts, most_attempts) - 1);
  }
  const Result<std::string_view> verb = text_in(from.method, from.method_len, "options.method");
  if (!verb) return verb.error();
  if (!verb->empty()) {
    const std::optional<HttpMethod> method = http_method(*verb);
    if (!method) return misuse("options.method", "is no method of HTTP that can be sent");
    out.method = *method;
  }
  if (from.interrupted != nullptr) {
    out.options.interrupted = [ask = from.interrupted, user_data = from.interrupted_user_data] {
      const InCallback inside;
      return ask(user_data) != 0;
    };
  }
  return read_headers(from, out.headers);
}

}  // namespace

Result<Request> request_in(const char* json, std::size_t len,
                           const llmroute_call_options* options) {
  const Result<std::string_view> body = text_in(json, len, "request_json");
  if (!body) return body.error();
  Request request{.body = *body};
  if (options != nullptr) {
    const Result<llmroute_call_options> given = struct_in(options, "options");
    if (!given) return given.error();
    if (Result<void> read = read_options(*given, request); !read) return std::move(read).error();
  }
  // What is passed on as it is may have no body.
  if (body->empty() && request.path == Request{}.path) return not_usable("request_json");
  return request;
}

}  // namespace llmroute::capi
