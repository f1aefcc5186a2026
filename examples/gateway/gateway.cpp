/// Puts the shared parts together.
#include "gateway.hpp"

#include "observe.hpp"

namespace gateway {
namespace {

/// Names that may become labels before anyone has asked for them.
std::vector<std::string> configured_models(const llmroute::Config& config) {
  std::vector<std::string> names;
  for (const llmroute::ModelConfig& model : config.models) names.push_back(model.name);
  for (const llmroute::NodeConfig& node : config.nodes) {
    names.insert(names.end(), node.models.begin(), node.models.end());
  }
  return names;
}

}  // namespace

llmroute::Result<std::unique_ptr<Gateway>> Gateway::create(Options options) {
  auto router = llmroute::Router::create(options.router);
  if (!router) return std::move(router.error());
  return std::unique_ptr<Gateway>(new Gateway(std::move(options), std::move(*router)));
}

Gateway::Gateway(Options options, llmroute::Router router)
    : options_(std::move(options)),
      log_(options_.logging.console ? options_.logging.level : LogLevel::off,
           options_.logging.format),
      auth_(options_.auth.auth_token),
      metrics_(std::make_shared<Metrics>(configured_models(options_.router))),
      started_(llmroute::Clock::now()),
      started_unix_(std::chrono::duration_cast<std::chrono::seconds>(
                        std::chrono::system_clock::now().time_since_epoch())
                        .count()),
      router_(std::move(router)) {
  router_.use(metrics_);
  router_.use(std::make_shared<LogObserver>(log_));
}

double Gateway::uptime_seconds() const {
  return llmroute::seconds(llmroute::Clock::now() - started_);
}

}  // namespace gateway
