/// A stream to pull from, and the text of its events.
#include <atomic>
#include <llmroute/wire/chunk_view.hpp>
#include <optional>

#include "boundary.hpp"
#include "event.hpp"
#include "reply.hpp"
#include "request.hpp"
#include "router.hpp"

namespace capi = llmroute::capi;

using capi::Use;
using llmroute::Result;

struct llmroute_stream final : capi::Handle {
  static constexpr auto kind = capi::Kind::stream;
  explicit llmroute_stream(llmroute::Stream&& opened) noexcept
      : Handle(kind), stream(std::move(opened)), reply(&stream->reply()) {}
  void release() noexcept override {
    reply.borrowed = nullptr;
    stream.reset();
  }

  std::optional<llmroute::Stream> stream;
  llmroute_reply reply;
  llmroute_event event{};
  std::atomic<bool> busy{false};
};

extern "C" {

llmroute_status llmroute_stream_open(llmroute_router* router, const char* request_json,
                                     size_t request_len, const llmroute_call_options* options,
                                     llmroute_stream** stream_out, llmroute_error** error_out) {
  if (stream_out != nullptr) *stream_out = nullptr;
  return capi::guarded(error_out, [&]() -> Result<void> {
    const Use used(router);
    if (!used) return capi::not_usable("router");
    if (stream_out == nullptr) return capi::not_usable("stream_out");
    const Result<llmroute::Request> request = capi::request_in(request_json, request_len, options);
    if (!request) return request.error();
    used->settle();
    Result<llmroute::Stream> stream = used->router->stream(*request);
    if (!stream) return std::move(stream).error();
    *stream_out = new llmroute_stream(std::move(*stream));
    return {};
  });
}

llmroute_status llmroute_stream_next(llmroute_stream* stream, const llmroute_event** event_out,
                                     llmroute_error** error_out) {
  if (event_out != nullptr) *event_out = nullptr;
  return capi::guarded(error_out, [&]() -> Result<void> {
    const Use used(stream);
    if (!used) return capi::not_usable("stream");
    if (event_out == nullptr) return capi::not_usable("event_out");
    const capi::Turn turn(used->busy);
    if (!turn) return capi::misuse("stream", "another thread waits for its next event");
    Result<std::optional<llmroute::Event>> next = used->stream->next();
    if (!next) return std::move(next).error();
    if (!*next) return {};
    used->event = capi::event_out(**next);
    *event_out = &used->event;
    return {};
  });
}

const llmroute_reply* llmroute_stream_reply(const llmroute_stream* stream) {
  return capi::usable(stream) ? &stream->reply : nullptr;
}

void llmroute_stream_free(llmroute_stream* stream) { capi::free_handle(stream); }

llmroute_status llmroute_chunk_text(const char* data, size_t data_len, char** text_out,
                                    size_t* len_out) {
  if (text_out != nullptr) *text_out = nullptr;
  return capi::guarded([&]() -> Result<void> {
    if (text_out == nullptr) return capi::not_usable("text_out");
    const Result<std::string_view> chunk = capi::text_in(data, data_len, "data");
    if (!chunk) return chunk.error();
    std::string text;
    llmroute::wire::append_text(text, llmroute::wire::read_chunk(*chunk));
    capi::copy_out(text, text_out, len_out);
    return {};
  });
}

}  // extern "C"
