/// Puts the shared parts together.
#include "gateway.hpp"

#include "observe.hpp"
#include "restart.hpp"

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

/// A file that is half written, or has lost its [auth] by mistake, opens no door.
llmroute::Error would_open() {
  return {.code = llmroute::ErrorCode::invalid_config,
          .message =
              "key \"auth\": asks nobody for a token any more; to open the gateway to "
              "whoever reaches it, start it anew",
          .param = "auth"};
}

}  // namespace

llmroute::Result<std::unique_ptr<Gateway>> Gateway::create(Options options) {
  Opened opened;
  if (options.needs_store()) {
    auto read = open_for_server(options.store.database_url);
    if (!read) return std::move(read.error());
    opened = std::move(*read);
  }
  Registry registry(options.router, options.source);
  auto router = llmroute::Router::create(registry.with(opened.models));
  if (!router) return std::move(router.error());
  std::unique_ptr<Gateway> gateway(
      new Gateway(std::move(options), opened.models, std::move(registry), std::move(*router)));
  if (auto logging = gateway->open_log_files(); !logging) return logging.error();
  if (opened.store) gateway->administer(std::move(opened));
  return gateway;
}

Gateway::Gateway(Options options, std::vector<ModelRecord> stored, Registry registry,
                 llmroute::Router router)
    : options_(std::move(options)),
      log_(options_.logging.level, options_.logging.format, options_.logging.console ? 2 : -1),
      auth_(nullptr),
      metrics_(std::make_shared<Metrics>()),
      started_(llmroute::Clock::now()),
      started_unix_(std::chrono::duration_cast<std::chrono::seconds>(
                        std::chrono::system_clock::now().time_since_epoch())
                        .count()),
      router_(std::move(router)),
      catalogue_(std::move(registry), std::move(stored),
                 [this](llmroute::Config config) { return apply(std::move(config)); }) {
  publish(options_.auth);
  metrics_->know(configured_models(router_.config()));
  router_.use(metrics_);
  router_.use(std::make_shared<LogObserver>(log_));
  defaults_.publish(defaults_of(options_.router));
}

void Gateway::administer(Opened opened) {
  key_ring_.publish(table_of(opened.keys));
  administration_ = std::make_unique<Administration>(
      std::move(opened), options_.store.cache_refresh_interval, catalogue_, key_ring_, log_);
}

llmroute::Result<void> Gateway::open_log_files() {
  if (options_.logging.dir.empty()) return {};
  auto opened = log_.open_files(options_.logging.dir);
  if (opened) return {};
  llmroute::Error error = opened.error();
  error.message = "logging.dir: " + error.message;
  return error;
}

/// By the catalogue, one at a time.
llmroute::Result<std::vector<std::string>> Gateway::apply(llmroute::Config config) {
  Defaults defaults = defaults_of(config);
  const std::vector<std::string> models = configured_models(config);
  auto restart = router_.reload(std::move(config));
  if (!restart) return restart;
  defaults_.publish(std::move(defaults));
  metrics_->know(models);
  return restart;
}

void Gateway::publish(const AuthOptions& options) {
  auths_.push_back(std::make_unique<const Auth>(options));
  auth_.store(auths_.back().get(), std::memory_order_release);
  auth_options_ = options;
}

llmroute::Result<std::vector<std::string>> Gateway::reload(const Options& next) {
  AuthOptions auth = next.auth;  // the store is opened at the start, or not at all
  auth.keys = options_.auth.keys;
  auth.admin_key = options_.auth.admin_key;
  if (Auth(auth_options_).required() && !Auth(auth).required()) return would_open();
  auto restart = catalogue_.replace_file(next.router, next.source);
  if (!restart) return restart;
  if (auth != auth_options_) publish(auth);
  const std::vector<std::string> own = needs_restart(options_, next);
  restart->insert(restart->end(), own.begin(), own.end());
  return restart;
}

double Gateway::uptime_seconds() const {
  return llmroute::seconds(llmroute::Clock::now() - started_);
}

}  // namespace gateway
