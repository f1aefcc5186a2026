/// What all workers of a gateway share. Thread safe, as its parts are.
#pragma once

#include <atomic>
#include <llmroute/router.hpp>
#include <memory>

#include "auth.hpp"
#include "log.hpp"
#include "metrics.hpp"
#include "options.hpp"

namespace gateway {

class Gateway {
 public:
  /// Builds the router, or says why its configuration cannot run.
  static llmroute::Result<std::unique_ptr<Gateway>> create(Options options);

  const Options& options() const noexcept { return options_; }
  const Log& log() const noexcept { return log_; }
  const Auth& auth() const noexcept { return auth_; }
  Metrics& metrics() noexcept { return *metrics_; }
  llmroute::Router& router() noexcept { return router_; }

  double uptime_seconds() const;
  std::int64_t started_unix() const noexcept { return started_unix_; }

  /// From now on it is not ready for more.
  void drain() noexcept { draining_.store(true, std::memory_order_relaxed); }
  bool draining() const noexcept { return draining_.load(std::memory_order_relaxed); }

 private:
  Gateway(Options options, llmroute::Router router);

  Options options_;
  Log log_;
  Auth auth_;
  std::shared_ptr<Metrics> metrics_;
  llmroute::Time started_;
  std::int64_t started_unix_;
  std::atomic<bool> draining_{false};
  llmroute::Router router_;  // last: its calls tell the others to the end
};

}  // namespace gateway
