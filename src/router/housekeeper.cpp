#include "router/housekeeper.hpp"

#include <algorithm>
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
  net::Task<bool> probing{};
  net::Task<bool> learning{};
};

namespace {

/// Whether a node that answers like this lives. Providers without a health path say 404, or ask for
/// another key: they live.
bool alive(int status) noexcept { return status >= 200 && status < 500; }

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
    : core_(core.shared_from_this()), loop_(loop) {
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
  const Config& config = core_->config();
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
  }
  core_->loops().close_stale(now);
  wake_at(std::max(due, after(now, shortest_tick)));
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
  const HealthOptions& health = keeper.core_->config().health;
  const net::Endpoint endpoint = health_endpoint(watched.node->config(), keeper.core_->config());
  const Time until = after(keeper.loop_.now(), health.timeout);
  net::HttpTransfer transfer(keeper.loop_, endpoint, {}, {}, net::HttpTransfer::Mode::whole);
  const net::Chunk end = co_await transfer.read(until);
  const bool good = end.kind == net::Chunk::Kind::end && alive(transfer.status());
  if (keeper.stopped_) co_return false;
  const Time now = keeper.loop_.now();
  keeper.tell([&](NodePool& pool) { pool.probe_result(watched.node->name(), good, now); });
  co_return good;
}

net::Task<bool> Housekeeper::learn_models(Housekeeper& keeper, Watched& watched) {
  const Config& config = keeper.core_->config();
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

}  // namespace llmroute::detail
