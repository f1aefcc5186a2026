/// The pull form of a stream: the reader turns a borrowed loop on its own thread until the next
/// event is there. A slow reader slows the node through TCP; nothing is buffered on its behalf.
#pragma once

#include <memory>
#include <optional>

#include "router/call_root.hpp"
#include "router/loop_pool.hpp"
#include "router/request_copy.hpp"
#include "router/sink.hpp"

namespace llmroute::detail {

class StreamState {
 public:
  StreamState(std::shared_ptr<RouterCore> core, std::unique_ptr<WorkerLoop> worker,
              const Request& request);
  ~StreamState();
  StreamState(const StreamState&) = delete;
  StreamState& operator=(const StreamState&) = delete;

  /// Starts the call and waits for its first event, or for its end.
  Result<void> open();

  Result<std::optional<Event>> next();
  const Reply& reply() const noexcept { return reply_; }

 private:
  /// Keeps one event for the reader.
  class Slot final : public Sink {
   public:
    Slot(net::Loop& loop, Reply& reply) noexcept : Sink(loop), reply_(reply) {}
    void head(const StreamHead& head) override;
    bool offer(const Event& event) override;

    std::optional<Event> event{};

   private:
    Reply& reply_;
  };

  void turn_until_event();

  std::shared_ptr<RouterCore> core_;
  std::unique_ptr<WorkerLoop> worker_;
  RequestCopy request_;
  Reply reply_{};
  Slot slot_;
  std::optional<Error> error_{};
  bool fresh_ = false;  // the event in the slot has not been handed out yet
  bool ended_ = false;
  std::optional<CallRoot> root_{};  // last: its frames refer to the slot
};

}  // namespace llmroute::detail
