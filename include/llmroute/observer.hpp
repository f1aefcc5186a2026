/// The one hook into what the router does: metrics, logs, traces and tests are built on it.
#pragma once

#include <llmroute/error.hpp>
#include <string_view>

namespace llmroute {

/// One try of one node, told when it ends.
struct AttemptEvent {
  std::string_view request_id;
  std::string_view model;  ///< as the caller asked
  std::string_view node;
  int number = 0;                  ///< 1 for the first of its call
  std::optional<ErrorCode> error;  ///< empty: it answered
  int http_status = 0;
  std::string_view reason;
  Duration time{};
  std::optional<Duration> first_content;  ///< streams: from the attempt's start
  Rung rung = Rung::none;
  int key = 0;  ///< which of the node's keys was sent, from 1; 0: it has not got several
};

/// One call, told when it ends.
struct CallEvent {
  std::string_view request_id;
  std::string_view model;
  std::string_view tenant;
  std::string_view node;  ///< that answered, or was asked last; empty: none was
  bool stream = false;
  std::optional<ErrorCode> error;
  int http_status = 0;  ///< 200, or what the caller sees
  int attempts = 0;
  Usage usage;
  Duration time{};
  std::optional<Duration> first_content;
};

/// A node or one of its models changed in the router's eyes.
struct NodeEvent {
  enum class Kind { healthy, unhealthy, breaker_opened, breaker_half_open, breaker_closed };
  Kind kind;
  std::string_view node;
  std::string_view model;  ///< empty: the node as a whole
};

/// Override what you need. Views are valid during the call only. Threads: any loop's, several at
/// once; return quickly, for the loop waits. on_node may come in the middle of a choice between
/// nodes: it starts no call on that loop. Exceptions are swallowed.
///
///     struct Log : llmroute::Observer {
///       void on_attempt(const llmroute::AttemptEvent& e) override {
///         if (e.error) fmt::print("{}: {} failed: {}\n", e.request_id, e.node, e.reason);
///       }
///     };
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_attempt(const AttemptEvent&) {}
  virtual void on_call(const CallEvent&) {}
  virtual void on_node(const NodeEvent&) {}
};

}  // namespace llmroute
