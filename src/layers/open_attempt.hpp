/// One try of one node, up to the point where it is known to be good: the whole answer of a plain
/// call, the first content of a stream. Owns the transfer and the ticket, so what follows can go on
/// in another coroutine.
#pragma once

#include <llmroute/core/node_pool.hpp>
#include <llmroute/wire/reply_view.hpp>
#include <llmroute/wire/sse_parser.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "layers/failure.hpp"
#include "layers/seam.hpp"
#include "layers/stream_progress.hpp"
#include "net/http_transfer.hpp"
#include "net/task.hpp"
#include "router/call_state.hpp"

namespace llmroute::detail {

/// A node's ticket that always gets its verdict: told by the attempt, or, when the attempt's frame
/// is destroyed under it, read from why the call ends. A cancelled call blames nobody; a deadline
/// charges the node that was silent.
class AttemptTicket {
 public:
  AttemptTicket(CallState& call, NodeTicket ticket, Rung rung);
  ~AttemptTicket();
  AttemptTicket(const AttemptTicket&) = delete;
  AttemptTicket& operator=(const AttemptTicket&) = delete;

  const Node& node() const noexcept { return ticket_.node(); }
  std::string_view model_id() const noexcept { return ticket_.model_id(); }
  std::uint32_t key_index() const noexcept { return ticket_.key_index(); }
  KeyId key() const noexcept { return ticket_.key(); }
  int key_number() const noexcept { return ticket_.key_number(); }
  Time started() const noexcept { return started_; }
  Rung rung() const noexcept { return rung_; }

  /// A stream's first content is here.
  void content_began();

  void succeed(int http_status, const Usage& usage);
  void fail(const AttemptFailure& failure, const Usage& usage = {});

 private:
  void abandon();

  /// `outcome` null: abandoned, nobody is to blame.
  void close(const Outcome* outcome, std::optional<ErrorCode> error, int http_status,
             std::string_view reason, const Usage& usage);

  CallState& call_;
  NodeTicket ticket_;
  Rung rung_;
  Time started_;
  std::optional<Duration> first_content_{};
  bool open_ = true;
};

/// An event kept over a read.
struct HeldEvent {
  std::string data;
  std::string raw;

  /// The data as a part of raw where it is one (a single data line), so that both can be edited as
  /// one.
  std::string_view data_in_raw() const noexcept {
    const std::size_t at = raw.find(data);
    return at == std::string::npos ? std::string_view(data)
                                   : std::string_view(raw).substr(at, data.size());
  }
};

/// The event that began a stream; its views live until the parser moves on.
struct FirstEvent {
  wire::SseEvent event{};
  EventKind kind{};
  wire::ChunkView chunk{};
};

/// What is asked of the node. By default the request itself.
struct Asking {
  Rung rung = Rung::none;
  std::string_view path{};       ///< without the query; empty: the request's
  std::string body{};            ///< empty: the request's, with the edits every node needs
  bool quiet = false;            ///< comments before the first content are not shown
  std::unique_ptr<Seam> seam{};  ///< joins the answer to what was delivered; null: nothing was
};

struct OpenAttempt {
  OpenAttempt(CallState& call, NodeTicket node_ticket, Asking asking);

  /// This attempt is over and was no good.
  void fail(AttemptFailure what);
  void fail(FailureKind kind, std::string reason);

  /// The stream is good: what follows belongs to the caller.
  void begin(const wire::SseEvent& event, EventKind kind, const wire::ChunkView& chunk);

  /// The node closes the stream, properly or not.
  void note_end(const net::Chunk& chunk);

  /// What the stream has used so far, with what was delivered before it.
  Usage usage() const noexcept;

  AttemptTicket ticket;
  std::string_view path;       ///< that was asked, without the query
  std::unique_ptr<Seam> seam;  ///< null: the stream is the call's first
  bool injects_ids;            ///< token ids were asked for by the router
  std::string outgoing;        ///< the body, when it is not the call's as it stands
  net::HttpTransfer transfer;
  wire::SseParser parser;
  StreamProgress progress;
  bool strips_usage;          ///< the usage chunk was asked for by the router, not by the caller
  bool strips_running_usage;  ///< so was the usage in each chunk
  std::string answer{};       ///< plain: the whole body
  wire::ReplyView answer_view{};
  std::size_t held_bytes = 0;
  std::vector<HeldEvent> held{};  ///< events before the first content
  FirstEvent first{};
  std::string shown_model{};                ///< what the caller asked for, as JSON, once needed
  std::string rewritten{};                  ///< the last event, when it is not the node's own bytes
  std::string end_reason{};                 ///< how the node closed the stream
  std::optional<AttemptFailure> failure{};  ///< set: this attempt is over
};

using Opened = std::unique_ptr<OpenAttempt>;

/// Asks the node for a whole answer.
net::Task<Opened> open_plain(CallState& call, NodeTicket ticket);

/// The answer as the caller is to see it, with the model's name put back to what was asked.
Reply plain_reply(CallState& call, OpenAttempt& attempt);

/// Asks the node for a stream and waits for its first content. `first_content_limit`: zero is off.
net::Task<Opened> open_stream(CallState& call, NodeTicket ticket, Asking asking,
                              Duration first_content_limit);

/// One or the other, as the call wants.
inline net::Task<Opened> open(CallState& call, NodeTicket ticket, Asking asking,
                              Duration first_content_limit) {
  return call.stream()
             ? open_stream(call, std::move(ticket), std::move(asking), first_content_limit)
             : open_plain(call, std::move(ticket));
}

/// Forwards the rest of a stream to the caller, from its first content on. True: to its proper end;
/// false: the attempt has failed.
net::Task<bool> pump(CallState& call, OpenAttempt& attempt);

/// What is known at the end of a stream that was forwarded whole.
Reply stream_reply(CallState& call, OpenAttempt& attempt);

}  // namespace llmroute::detail
