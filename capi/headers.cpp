#include "headers.hpp"

#include "boundary.hpp"

namespace capi = llmroute::capi;

namespace {

const llmroute::Headers* read(const llmroute_headers* headers) noexcept {
  return reinterpret_cast<const llmroute::Headers*>(headers);
}

const llmroute::Header* field(const llmroute_headers* headers, std::size_t index) noexcept {
  if (headers == nullptr || index >= read(headers)->size()) return nullptr;
  return &*(read(headers)->begin() + static_cast<std::ptrdiff_t>(index));
}

}  // namespace

extern "C" {

size_t llmroute_headers_count(const llmroute_headers* headers) {
  return headers == nullptr ? 0 : read(headers)->size();
}

const char* llmroute_headers_name(const llmroute_headers* headers, size_t index, size_t* len) {
  const llmroute::Header* at = field(headers, index);
  return capi::text_out(at == nullptr ? std::string_view{} : at->name, len);
}

const char* llmroute_headers_value(const llmroute_headers* headers, size_t index, size_t* len) {
  const llmroute::Header* at = field(headers, index);
  return capi::text_out(at == nullptr ? std::string_view{} : at->value, len);
}

const char* llmroute_headers_find(const llmroute_headers* headers, const char* name,
                                  size_t name_len, size_t* len) {
  if (len != nullptr) *len = 0;
  if (headers == nullptr || name == nullptr) return nullptr;
  const auto found = read(headers)->find({name, name_len});
  return found ? capi::text_out(*found, len) : nullptr;
}

}  // extern "C"
