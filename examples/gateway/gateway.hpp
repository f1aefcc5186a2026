/// What all workers of a gateway share. Thread safe, as its parts are.
#pragma once

#include <atomic>
#include <llmroute/router.hpp>
#include <memory>
#include <vector>

#include "access.hpp"
#include "admin/administration.hpp"
#include "auth.hpp"
#include "catalogue.hpp"
#include "key_ring.hpp"
#include "log.hpp"
#include "metrics.hpp"
#include "options.hpp"

namespace gateway {

class Gateway {
 public:
  /// Builds the router, or says why its configuration cannot run.
  static llmroute::Result<std::unique_ptr<Gateway>> create(Options options);

  /// What it was started with.
  const Options& options() const noexcept { return options_; }
  const Log& log() const noexcept { return log_; }
  const Auth& auth() const noexcept { return *auth_.load(std::memory_order_acquire); }
  Metrics& metrics() noexcept { return *metrics_; }
  llmroute::Router& router() noexcept { return router_; }
  const KeyRing& key_ring() const noexcept { return key_ring_; }
  const Published<Defaults>& defaults() const noexcept { return defaults_; }

  /// Through which the router's nodes and models are changed: the file's are not all there are.
  Catalogue& catalogue() noexcept { return catalogue_; }

  /// Null when neither keys nor the admin API are on.
  Administration* administration() noexcept { return administration_.get(); }

  /// Goes on with nodes, models, limits and tokens of another configuration, or leaves all as it is
  /// and says why. Names what it cannot change while it runs. One thread at a time, none of the
  /// workers'.
  llmroute::Result<std::vector<std::string>> reload(const Options& next);

  double uptime_seconds() const;
  std::int64_t started_unix() const noexcept { return started_unix_; }

  /// From now on it is not ready for more.
  void drain() noexcept { draining_.store(true, std::memory_order_relaxed); }
  bool draining() const noexcept { return draining_.load(std::memory_order_relaxed); }

 private:
  llmroute::Result<std::vector<std::string>> apply(llmroute::Config config);
  llmroute::Result<void> open_log_files();
  Gateway(Options options, std::vector<ModelRecord> stored, Registry registry,
          llmroute::Router router);
  void administer(Opened opened);
  void publish(const AuthOptions& options);

  Options options_;
  Log log_;
  // Workers may be reading an earlier one; there are as many as there were changes of [auth].
  std::vector<std::unique_ptr<const Auth>> auths_{};
  std::atomic<const Auth*> auth_;
  AuthOptions auth_options_{};
  std::shared_ptr<Metrics> metrics_;
  llmroute::Time started_;
  std::int64_t started_unix_;
  std::atomic<bool> draining_{false};
  KeyRing key_ring_{};
  Published<Defaults> defaults_{};
  llmroute::Router router_;  // its calls tell those before it to the end
  Catalogue catalogue_;
  std::unique_ptr<Administration> administration_{};  // last: its thread changes the others
};

}  // namespace gateway
