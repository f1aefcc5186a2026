#include "router/router_core.hpp"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <llmroute/core/make_strategy.hpp>
#include <new>
#include <thread>

#include "layers/admission.hpp"
#include "layers/attempt.hpp"
#include "layers/fallback.hpp"
#include "layers/limits.hpp"
#include "layers/relay.hpp"
#include "layers/resolve.hpp"
#include "net/fork.hpp"
#include "router/local_rates.hpp"

namespace llmroute::detail {

namespace {

/// From the kernel: std::random_device, linked statically, would bind the wheel to the newest
/// glibc.
std::uint64_t seed_from_system() {
  std::uint64_t seed = 0;
  if (getrandom(&seed, sizeof seed, 0) !=
      static_cast<ssize_t>(sizeof seed)) {  // a kernel without it; not for secrets
    seed = static_cast<std::uint64_t>(Clock::now().time_since_epoch().count());
  }
  return seed;
}

/// An observer that throws must not take a call down with it.
template <class F>
void guarded(F&& f) noexcept {
  try {
    f();
  } catch (...) {  // documented: swallowed
  }
}

Error no_such_node(std::string_view name, std::string_view why) {
  return {.code = ErrorCode::invalid_argument,
          .message = fmt::format("node \"{}\" {}", name, why),
          .param = "name"};
}

/// A node that comes at run time is checked like one in the configuration.
Result<NodeConfig> prepared(NodeConfig node) {
  Config checked;
  checked.nodes.push_back(std::move(node));
  if (Result<void> ready = checked.prepare(); !ready) return std::move(ready).error();
  return std::move(checked.nodes.front());
}

NodeEvent event_of(const NodeChange& change) noexcept {
  return {static_cast<NodeEvent::Kind>(change.kind), change.node, change.model};
}

}  // namespace

RouterCore::RouterCore(Config prepared)
    : seed_(prepared.router.seed != 0 ? prepared.router.seed : seed_from_system()),
      pool_(pool_options(prepared), {}, {}, draw_seed(), Clock::now()),
      queue_(prepared.backpressure),
      budget_({.retry_budget = prepared.router.retry_budget,
               .retry_floor = prepared.router.retry_floor}),
      hedges_(prepared.hedge),
      rates_(std::make_shared<LocalRates>()),
      loops_(std::make_unique<LoopPool>()),
      fork_generation_(net::fork_generation()),
      fork_seen_(fork_generation_.load()) {
  take_over(std::move(prepared), nullptr);
  layers_.push_back(std::make_unique<ResolveLayer>());
  layers_.push_back(std::make_unique<LimitsLayer>());
  layers_.push_back(std::make_unique<RelayLayer>());
  layers_.push_back(std::make_unique<AdmissionLayer>());
  layers_.push_back(std::make_unique<FallbackLayer>());
  layers_.push_back(std::make_unique<AttemptLayer>());
  for (const auto& layer : layers_) chain_.push_back(layer.get());
}

RouterCore::~RouterCore() = default;

PoolOptions RouterCore::pool_options(const Config& config) {
  return {.health = config.health,
          .breaker = config.breaker,
          .all_down = config.router.all_down,
          .unlisted_models = config.router.unlisted_models,
          .on_change = [this](const NodeChange& change) { tell(event_of(change)); },
          .on_slot_free =
              [this](const Node& node) {
                queue_.node_freed([&](const AdmissionWaiter& waiter) {
                  const std::span<const NodeId> tried = waiter.tried();
                  return std::find(tried.begin(), tried.end(), node.id()) == tried.end() &&
                         pool_.serves(node, waiter.model());
                });
              },
          .attach = nullptr};
}

std::uint64_t RouterCore::draw_seed() noexcept {
  return Rng(seed_.fetch_add(0x9e3779b97f4a7c15, std::memory_order_relaxed))();
}

void RouterCore::tell(const AttemptEvent& event) const noexcept {
  for (const auto& observer : observers_) guarded([&] { observer->on_attempt(event); });
}
void RouterCore::tell(const CallEvent& event) const noexcept {
  for (const auto& observer : observers_) guarded([&] { observer->on_call(event); });
}
void RouterCore::tell(const NodeEvent& event) const noexcept {
  for (const auto& observer : observers_) guarded([&] { observer->on_node(event); });
}

std::shared_ptr<const Settings> RouterCore::settings() const {
  return std::static_pointer_cast<const Settings>(pool_.current()->attachment());
}

Strategy& RouterCore::strategy(const Settings& settings,
                               const ModelSettings* model) const noexcept {
  if (model != nullptr && model->strategy) return *model->strategy;
  return own_strategy_ ? *own_strategy_ : *settings.strategy;
}

bool RouterCore::wants_load_reports() const {
  const std::shared_ptr<const Settings> settings = this->settings();
  const auto wants = [&](const ModelSettings* model) {
    return strategy(*settings, model).wants_load_reports();
  };
  return wants(nullptr) || std::any_of(settings->models.begin(), settings->models.end(),
                                       [&](const auto& model) { return wants(&model.second); });
}

void RouterCore::take_over(Config prepared, const Settings* before) {
  const auto settings = std::make_shared<const Settings>(std::move(prepared), before);
  const Config& config = settings->config;
  pool_.replace(config.nodes, config.models, Clock::now(), settings);
}

Result<std::vector<std::string>> RouterCore::reload(Config config) {
  if (Result<void> ready = config.prepare(); !ready) return std::move(ready).error();
  if (forked()) after_fork();
  const std::lock_guard lock(reload_mutex_);
  const std::shared_ptr<const Settings> before = settings();
  std::vector<std::string> kept = keep_until_next_start(before->config, config);
  take_over(std::move(config), before.get());
  queue_.nodes_changed();
  look_after_housekeeping();
  return kept;
}

LoopState& RouterCore::state_of(net::Loop& loop) {
  if (void* known = loop.attachment(id_)) return *static_cast<LoopState*>(known);
  const auto made = std::make_shared<LoopState>(*this);
  loop.attach(id_, weak_from_this(), made);
  return *made;
}

Background& RouterCore::background() {
  const std::lock_guard lock(threads_mutex_);
  if (!background_) background_ = std::make_unique<Background>(*this);
  return *background_;
}

Result<void> RouterCore::add_node(NodeConfig node) {
  Result<NodeConfig> ready = prepared(std::move(node));
  if (!ready) return std::move(ready).error();
  const std::string name = ready->name;
  if (!pool_.add(std::move(*ready), Clock::now())) return no_such_node(name, "is there already");
  queue_.nodes_changed();
  return {};
}

Result<void> RouterCore::update_node(NodeConfig node) {
  Result<NodeConfig> ready = prepared(std::move(node));
  if (!ready) return std::move(ready).error();
  const std::string name = ready->name;
  if (!pool_.update(std::move(*ready), Clock::now())) return no_such_node(name, "is not there");
  queue_.nodes_changed();
  return {};
}

Result<void> RouterCore::remove_node(std::string_view name) {
  if (!pool_.remove(name, Clock::now())) return no_such_node(name, "is not there");
  return {};
}

Result<void> RouterCore::drain_node(std::string_view name, bool drain) {
  if (!pool_.drain(name, drain)) return no_such_node(name, "is not there");
  if (!drain) queue_.nodes_changed();
  return {};
}

void RouterCore::enter() {
  if (forked()) after_fork();
  if (!housekeeping_settled_.load(std::memory_order_acquire)) start_housekeeping();
}

/// Probing has to be asked for, load reports are for strategies that go by them; lists of models
/// are worth asking for where there is a choice between nodes.
bool RouterCore::wants_housekeeping() const {
  const std::shared_ptr<const Settings> settings = this->settings();
  if (settings->config.health.active || wants_load_reports()) return true;
  const std::vector<NodeConfig>& nodes = settings->config.nodes;
  const auto unknown = [](const NodeConfig& node) { return node.models.empty(); };
  return nodes.size() > 1 && std::any_of(nodes.begin(), nodes.end(), unknown);
}

/// After a reload: the next call looks again whether it is wanted, unless it has begun.
void RouterCore::look_after_housekeeping() {
  const std::lock_guard lock(threads_mutex_);
  if (!housekeeping_thread_ && !housekeeper_) {
    housekeeping_settled_.store(false, std::memory_order_release);
  }
}

void RouterCore::start_housekeeping() {
  const std::lock_guard lock(threads_mutex_);
  if (housekeeping_settled_.load(std::memory_order_relaxed)) return;
  if (wants_housekeeping()) {
    if (!housekeeping_thread_) housekeeping_thread_ = std::make_unique<Background>(*this);
    housekeeping_thread_->loop().post(
        [this, thread = housekeeping_thread_.get()] { keep_house(*thread); });
  }
  housekeeping_settled_.store(true, std::memory_order_release);
}

/// On the housekeeping thread. Without memory for it the next call tries again.
void RouterCore::keep_house(Background& thread) noexcept {
  try {
    thread.keep(std::make_unique<Housekeeper>(*this, thread.loop().core()));
  } catch (const std::bad_alloc&) {
    housekeeping_settled_.store(false, std::memory_order_release);
  }
}

void RouterCore::maintain(net::Loop& loop) {
  if (forked()) after_fork();
  const std::lock_guard lock(threads_mutex_);
  housekeeping_settled_.store(true, std::memory_order_release);
  Housekeeper::end(std::exchange(housekeeper_, std::make_unique<Housekeeper>(*this, loop)));
}

void RouterCore::shut_down() {
  if (forked()) forget_threads();
  std::unique_ptr<Background> background;
  std::unique_ptr<Background> housekeeping;
  std::unique_ptr<Housekeeper> keeper;
  {
    const std::lock_guard lock(threads_mutex_);
    background = std::move(background_);
    housekeeping = std::move(housekeeping_thread_);
    keeper = std::move(housekeeper_);
    housekeeping_settled_.store(true, std::memory_order_release);
  }
  Housekeeper::end(std::move(keeper));
}

bool RouterCore::forked() const noexcept {
  return fork_generation_.load(std::memory_order_acquire) != net::fork_generation();
}

/// In a forked child: threads did not come along, sockets and epoll sets are the parent's. What was
/// learnt of nodes stays. The first thread that comes does it, others wait until it is done.
void RouterCore::after_fork() {
  const std::uint64_t generation = net::fork_generation();
  auto loops = std::make_unique<LoopPool>();  // what may throw comes before others wait
  if (fork_seen_.exchange(generation) == generation) {
    while (forked()) {
      if (fork_seen_.load() != net::fork_generation()) return after_fork();  // once more meanwhile
      std::this_thread::yield();
    }
    return;
  }
  forget_threads();
  new (&reload_mutex_) std::mutex;
  pool_.reset_after_fork();
  queue_.reset_after_fork();
  rates_->reset_after_fork();
  loops_ = std::move(loops);  // a loop of another process only closes its descriptors
  housekeeping_settled_.store(false);
  fork_generation_.store(generation, std::memory_order_release);
}

void RouterCore::forget_threads() noexcept {
  new (&threads_mutex_) std::mutex;  // a thread of the parent may have held it
  background_.reset();
  housekeeping_thread_.reset();
  Housekeeper::end(std::move(housekeeper_));
}

}  // namespace llmroute::detail
