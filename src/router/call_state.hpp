/// Everything about one call that must outlive its coroutine frames: cancelling destroys the
/// frames, and what the caller is then told (attempts, usage, partial text) is read from here.
/// Belongs to one loop; no lock.
#pragma once

#include <cstdint>
#include <llmroute/core/admission_queue.hpp>
#include <llmroute/core/node_pool.hpp>
#include <llmroute/rate_store.hpp>
#include <llmroute/router.hpp>
#include <llmroute/wire/continuation.hpp>
#include <llmroute/wire/request_view.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "net/loop.hpp"
#include "router/ending.hpp"
#include "router/ledger.hpp"
#include "router/settings.hpp"
#include "router/sink.hpp"

namespace llmroute::detail {

class RouterCore;
struct LoopState;

/// How long at least one node has been working for a call: attempts that overlap count once.
class TimeAtNodes {
 public:
  void begin(Time now) noexcept {
    if (open_++ == 0) since_ = now;
  }
  void end(Time now) noexcept {
    if (--open_ == 0) sum_ += now - since_;
  }
  Duration until(Time now) const noexcept { return open_ == 0 ? sum_ : sum_ + (now - since_); }

 private:
  int open_ = 0;
  Time since_{};
  Duration sum_{};
};

struct CallState {
  CallState(RouterCore& router, LoopState& loop_state, net::Loop& event_loop, const Request& asked,
            Sink* stream_sink);
  CallState(const CallState&) = delete;
  CallState& operator=(const CallState&) = delete;

  bool stream() const noexcept { return sink != nullptr; }

  /// What the request's path has behind `path`: nothing, or from '?' on.
  std::string_view query() const noexcept { return request.path.substr(path.size()); }
  Duration elapsed() const noexcept { return loop.now() - started; }

  /// The configuration the call began with, whatever a reload has brought since.
  const Config& config() const noexcept { return settings.config; }

  /// Of the model asked at present.
  Strategy& strategy() const noexcept;

  Resume resume() const noexcept;

  /// How the request may be put again; read when first asked for.
  const wire::Continuation& continuation();

  /// An error that carries what the call knows: attempts, last node, partial text, usage.
  Error fail(ErrorCode code, std::string message) const;

  /// The answer as the caller gets it. Takes the attempts along: the call is over.
  Reply reply(int http_status, Headers headers, std::string answer);

  /// Tokens spent so far, in all: as the node has counted them, but no fewer than it has delivered,
  /// for many a node counts an answer at its end only.
  std::int64_t tokens_spent(const Usage& counted) const noexcept;

  /// Fields to send beside a node's own; valid until the next call of this function.
  std::span<const Header> upstream_headers();

  RouterCore& core;
  LoopState& local;
  const std::shared_ptr<const PoolSnapshot> snapshot;  ///< of the moment when the call began
  const Settings& settings;                            ///< the snapshot's
  net::Loop& loop;
  const Request& request;  ///< lives as long as the call
  std::string_view path;   ///< the request's, without its query
  Sink* sink;              ///< null: a plain call

  // Settled by resolve; all but `model` once more by a fallback (see ask_model).
  wire::RequestView view{};              ///< of `body`
  std::string model{};                   ///< as asked; an alias or an id
  PickRequest pick{};                    ///< what strategies may know; its views point here
  const ModelSettings* alias = nullptr;  ///< of the model asked at present; null: it has none
  std::string_view body{};               ///< the request's, or `shaped`
  std::string shaped{};                  ///< with what the alias adds to it

  // Settled by the attempts.
  std::string request_id{};
  std::vector<AttemptRecord> attempts{};
  std::vector<NodeId> tried{};   ///< ids of nodes not to be asked again for the present model
  std::vector<NodeId> failed{};  ///< those to blame for an attempt, at whatever model
  std::vector<KeyRefusal> refused_keys{};  ///< of nodes with several
  bool overtaken = false;  ///< by a reload: the last pick was among the nodes of before
  int retries_left = 0;
  bool committed = false;      ///< content has reached the caller: no blind retry from here on
  bool fallback_left = false;  ///< another model may be asked: the last retry is kept for it
  bool head_sent = false;
  std::optional<FailureKind> given_up_for{};  ///< what the present model's last attempt failed of
  Ledger ledger{};                            ///< what a stream has delivered
  Usage usage{};
  std::optional<Duration> first_content{};
  TimeAtNodes at_nodes{};

  // What the call has taken, to its end.
  Permit permit{};
  std::unique_ptr<RateHold> rate_hold{};  ///< null: no limit counts for it
  RateReport rate{};                      ///< where its tenant stood when it was let in, or not
  std::int64_t delivered_events = 0;      ///< with content, over all attempts of a stream

  Time started;
  Time deadline = never;
  Ending ending = Ending::running;

  std::optional<wire::Continuation> continuation_{};
  std::vector<Header> upstream{};  ///< see upstream_headers

  /// The SDKs tell a server how often they have asked already; the router counts on.
  static constexpr std::string_view retry_count_field = "x-stainless-retry-count";
};

}  // namespace llmroute::detail
