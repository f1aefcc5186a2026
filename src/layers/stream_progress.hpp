/// How far a stream has come: which choices have finished, what it used, whether its end may be
/// called an end. Looks at each event once.
#pragma once

#include <cstdint>
#include <llmroute/usage.hpp>
#include <llmroute/wire/chunk_shape.hpp>
#include <llmroute/wire/chunk_view.hpp>
#include <llmroute/wire/sse_parser.hpp>
#include <string_view>

namespace llmroute::detail {

/// What the attempt does with an event.
enum class EventKind {
  comment,   ///< forward at once
  preamble,  ///< nothing the caller waits for (role only): held until content comes
  content,   ///< commits the stream
  usage,     ///< only usage, no choice
  done,      ///< [DONE]
  failure,   ///< the node says it failed
  garbage    ///< not what a stream of this dialect sends
};

/// What the events of a stream are.
enum class Dialect {
  chunks,     ///< chat and text completions
  responses,  ///< /v1/responses: typed events, an end of their own
  messages    ///< /v1/messages: likewise
};

class StreamProgress {
 public:
  StreamProgress(Dialect dialect, int choices_expected) noexcept
      : dialect_(dialect), expected_(choices_expected) {}

  /// Judges one event; `chunk` receives what its JSON means.
  EventKind take(const wire::SseEvent& event, wire::ChunkView& chunk);

  /// What an event means, without taking note of it.
  wire::ChunkView look_at(std::string_view data) const;

  /// Every choice has its finish_reason: the connection may go away now.
  bool complete() const noexcept;

  /// A choice has appeared, if only its role.
  bool any_choice() const noexcept { return seen_ != 0; }

  const Usage& usage() const noexcept { return usage_; }

  /// Events with content so far.
  std::int64_t events() const noexcept { return events_; }

 private:
  wire::ChunkView read(std::string_view data) const;
  void take_usage(const Usage& usage) noexcept;

  Dialect dialect_;
  int expected_;
  std::uint64_t seen_ = 0;      // bit i: choice i has appeared
  std::uint64_t finished_ = 0;  // bit i: choice i has its finish_reason
  std::int64_t events_ = 0;
  wire::ChunkShape shape_{};
  Usage usage_{};
};

}  // namespace llmroute::detail
