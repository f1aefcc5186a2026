#include "router/housekeeper.hpp"

#include <algorithm>
#include <llmroute/wire/load_page.hpp>
#include <llmroute/wire/model_list.hpp>

#include "router/endpoints.hpp"
#include "router/router_core.hpp"

namespace llmroute::detail {

/// One node: what is due, and what is under way. A task that has ended is let go at the next tick.
struct Housekeeper::Watched {
  explicit Watched(std::shared_ptr<const Node> watched_node) : node(std::move(watched_node)) {}

  std::shared_ptr<const Node> node;
  Time probe_due{};
  Time models_due{};
  Time load_due{};
  Duration load_interval{};  // grows while the page costs too much
  net::Task<bool> probing{};
  net::Task<bool> learning{};
  net::Task<bool> reporting{};
};

namespace {

/// Whether a node that answers like this lives. Providers without a health path say 404, or ask for
/// another key: they live.
bool alive(int status) noexcept { return status >= 200 && status < 500; }

/// The engines do; who sells answers does not.
bool reports_load(Provider provider) noexcept {
  return provider != Provider::openai && provider != Provider::azure &&
         provider != Provider::anthropic;
}

bool idle(const net::Task<bool>& task) noexcept { return !task || task.done(); }

/// What came of asking for a list of models.
struct ListAnswer {
  std::optional<std::string> body{};  ///< none: there was no answer, or a refusal
  bool key_refused = false;           ///< another key may do better
};

net::Task<ListAnswer> ask_for_list(net::Loop& loop, const net::Endpoint& endpoint,
                                   Duration timeout) {
  const Time until = after(loop.now(), timeout);
  net::HttpTransfer transfer(loop, endpoint, {}, {}, net::HttpTransfer::Mode::whole);
  const net::Chunk end = co_await transfer.read(until);
  ListAnswer answer;
  if (end.kind != net::Chunk::Kind::end) co_return answer;
  if (transfer.status() == 200) {
    answer.body = transfer.take_body();
  } else {
    const FailureKind kind = failure_of_status(transfer.status());
    answer.key_refused = traits(kind).remember == Remember::key_rests;
  }
  co_return answer;
}

}  // namespace

Housekeeper::Housekeeper(RouterCore& core, net::Loop& loop)
    : core_(core.shared_from_this()),
      loop_(loop),
      rng_(static_cast<std::uint64_t>(loop.now().time_since_epoch().count())) {
  tick();
}
Housekeeper::~Housekeeper() = default;

void Housekeeper::end(std::unique_ptr<Housekeeper> keeper) noexcept {
  if (!keeper) return;
  keeper->stop();
  if (!keeper->telling_) return;
  net::Loop& loop = keeper->loop_;
  loop.doom(*keeper.release());
}

/// What observers may hear of.
template <class F>
void Housekeeper::tell(F&& f) {
  struct Telling {
    explicit Telling(bool& on) noexcept : flag(on) { flag = true; }
    ~Telling() { flag = false; }
    bool& flag;
  } const until_told(telling_);
  f(core_->pool());
}

void Housekeeper::wake_at(Time at) {
  timer_.arm(
      loop_, at, [](void* self) { static_cast<Housekeeper*>(self)->tick_or_later(); }, this);
}

/// Without memory the rest waits: the timer that has just fired has left its place.
void Housekeeper::tick_or_later() noexcept {
  if (stopped_) return;
  wake_at(after(loop_.now(), retry_discovery));
  try {
    tick();
  } catch (const std::bad_alloc&) {
  }
}

void Housekeeper::tick() {
  watch_nodes();
  const std::shared_ptr<const Settings> settings = core_->settings();
  const Config& config = settings->config;
  const Time now = loop_.now();
  Time due = after(now, retry_discovery);
  for (Watched& watched : watched_) {
    if (config.health.active) {
      if (now >= watched.probe_due && idle(watched.probing)) {
        watched.probe_due = after(now, config.health.interval);
        watched.probing = probe(*this, watched);
        loop_.inside([&] { watched.probing.start(nullptr, nullptr); });
      }
      due = std::min(due, watched.probe_due);
    }
    if (watched.node->config().models.empty()) {
      if (now >= watched.models_due && idle(watched.learning)) {
        watched.models_due = after(now, discovery_interval);
        watched.learning = learn_models(*this, watched);
        loop_.inside([&] { watched.learning.start(nullptr, nullptr); });
      }
      due = std::min(due, watched.models_due);
    }
    if (core_->wants_load_reports() && reports_load(watched.node->config().provider)) {
      if (now >= watched.load_due) ask_for_load(watched, now);
      due = std::min(due, watched.load_due);
    }
  }
  core_->loops().close_stale(now);
  wake_at(std::max(due, after(now, shortest_tick)));
}

/// One that is still under way is left to it.
void Housekeeper::ask_for_load(Watched& watched, Time now) {
  const Duration usual = core_->settings()->config.health.metrics_interval;
  watched.load_interval = std::max(watched.load_interval, usual);
  watched.load_due = after(now, spread(watched.load_interval));
  if (!idle(watched.reporting)) return;
  watched.reporting = learn_load(*this, watched);
  loop_.inside([&] { watched.reporting.start(nullptr, nullptr); });
}

/// Less or more by up to a fifth, so that many gateways do not ask at the same moment.
Duration Housekeeper::spread(Duration interval) noexcept {
  return std::chrono::duration_cast<Duration>(interval * (0.8 + 0.4 * rng_.unit()));
}

/// Follows additions, removals and changes of nodes.
void Housekeeper::watch_nodes() {
  const std::vector<std::shared_ptr<const Node>> nodes = core_->pool().nodes();
  watched_.remove_if([&](const Watched& watched) {
    return std::find(nodes.begin(), nodes.end(), watched.node) == nodes.end();
  });
  for (const auto& node : nodes) {
    const bool known = std::any_of(watched_.begin(), watched_.end(),
                                   [&](const Watched& watched) { return watched.node == node; });
    if (!known) watched_.emplace_back(node);
  }
}

net::Task<bool> Housekeeper::probe(Housekeeper& keeper, Watched& watched) {
  const std::shared_ptr<const Settings> settings = keeper.core_->settings();
  const Config& config = settings->config;
  const net::Endpoint endpoint = health_endpoint(watched.node->config(), config);
  const Time until = after(keeper.loop_.now(), config.health.timeout);
  net::HttpTransfer transfer(keeper.loop_, endpoint, {}, {}, net::HttpTransfer::Mode::whole);
  const net::Chunk end = co_await transfer.read(until);
  const bool good = end.kind == net::Chunk::Kind::end && alive(transfer.status());
  if (keeper.stopped_) co_return false;
  const Time now = keeper.loop_.now();
  keeper.tell([&](NodePool& pool) { pool.probe_result(watched.node->name(), good, now); });
  co_return good;
}

net::Task<bool> Housekeeper::learn_models(Housekeeper& keeper, Watched& watched) {
  const std::shared_ptr<const Settings> settings = keeper.core_->settings();
  const Config& config = settings->config;
  ListAnswer answer{.key_refused = true};
  for (std::size_t key = 0; answer.key_refused && key < watched.node->keys().size(); ++key) {
    const net::Endpoint endpoint = models_endpoint(watched.node->config(), key, config);
    net::Task<ListAnswer> asking = ask_for_list(keeper.loop_, endpoint, config.health.timeout);
    answer = co_await asking;
  }
  if (keeper.stopped_) co_return false;
  if (!answer.body) {
    watched.models_due = after(keeper.loop_.now(), retry_discovery);
    co_return false;
  }
  std::optional<std::vector<std::string>> ids = wire::read_model_list(*answer.body);
  if (!ids || ids->empty()) co_return false;
  const Time now = keeper.loop_.now();
  keeper.tell(
      [&](NodePool& pool) { pool.models_learnt(watched.node->name(), std::move(*ids), now); });
  co_return true;
}

/// A report is good for as long as three intervals: of a node that goes silent nothing is known
/// then.
net::Task<bool> Housekeeper::learn_load(Housekeeper& keeper, Watched& watched) {
  const std::shared_ptr<const Settings> settings = keeper.core_->settings();
  const Config& config = settings->config;
  const Duration usual = config.health.metrics_interval;
  const int own = watched.node->stats().in_flight.load(std::memory_order_relaxed);
  const net::Endpoint endpoint = metrics_endpoint(watched.node->config(), config, longest_page);
  const Time asked = keeper.loop_.now();
  const Time until = after(asked, config.health.timeout);
  net::HttpTransfer transfer(keeper.loop_, endpoint, {}, {}, net::HttpTransfer::Mode::whole);
  const net::Chunk end = co_await transfer.read(until);
  const Time now = keeper.loop_.now();
  const std::string page = transfer.take_body();
  LoadReport report;
  if (end.kind == net::Chunk::Kind::end && transfer.status() == 200) {
    report = wire::read_load_page(page);
  }
  const bool cheap = !report.empty() && page.size() <= long_page && now - asked <= usual / 5;
  const Duration most = std::max(usual, longest_metrics_interval);
  watched.load_interval = cheap ? usual : std::min(watched.load_interval * 2, most);
  watched.load_due = after(now, keeper.spread(watched.load_interval));
  if (keeper.stopped_ || report.empty()) co_return false;
  const Time valid_until = after(now, 3 * watched.load_interval);
  keeper.core_->pool().load_reported(watched.node->id(), report, own, now, valid_until);
  co_return true;
}

}  // namespace llmroute::detail
