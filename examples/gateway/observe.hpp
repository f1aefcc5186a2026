/// Tells the log what the router does: failed attempts, and nodes that come and go.
#pragma once

#include <llmroute/observer.hpp>

#include "log.hpp"

namespace gateway {

/// `log` must outlive it.
class LogObserver final : public llmroute::Observer {
 public:
  explicit LogObserver(const Log& log) noexcept : log_(log) {}

  void on_attempt(const llmroute::AttemptEvent& attempt) override;
  void on_node(const llmroute::NodeEvent& node) override;

 private:
  const Log& log_;
};

}  // namespace gateway
