/// A node pool with a clock, a generator and one reader, for tests that pick.
#pragma once

#include <functional>
#include <llmroute/core/make_strategy.hpp>
#include <llmroute/core/node_pool_reader.hpp>
#include <map>
#include <string>
#include <vector>

#include "core/manual_time.hpp"

namespace llmroute::test {

/// Nodes "a", "b", ... that list the model "m".
inline std::vector<NodeConfig> plain_nodes(int count) {
  std::vector<NodeConfig> nodes;
  for (int i = 0; i < count; ++i) {
    NodeConfig node;
    node.name = std::string(1, static_cast<char>('a' + i));
    node.url = "http://" + node.name;
    node.models = {"m"};
    nodes.push_back(std::move(node));
  }
  return nodes;
}

struct PoolFixture {
  explicit PoolFixture(std::vector<NodeConfig> nodes, PoolOptions options = {},
                       std::vector<ModelConfig> models = {})
      : pool(telling(std::move(options)), std::move(nodes), std::move(models), 1, time) {}

  PickOutcome pick(std::string_view model = "m", std::vector<NodeId> tried = {},
                   std::string_view path = "/v1/chat/completions") {
    PickRequest request;
    request.model = model;
    return reader.acquire(*strategy, request, path, {.tried = tried}, rng, time);
  }

  /// The name of the node picked, or of the reason why none was; the attempt is abandoned.
  std::string name(std::string_view model = "m", std::vector<NodeId> tried = {}) {
    const PickOutcome picked = pick(model, std::move(tried));
    return picked ? picked.ticket.node().name() : why(picked.miss);
  }

  static std::string why(PickMiss miss) {
    const char* names[] = {"-",        "unknown_model", "no_nodes", "all_tried",
                           "all_busy", "all_resting",   "all_down"};
    return names[static_cast<int>(miss)];
  }

  /// How often each node is picked.
  std::map<std::string, int> picks(int times, std::string_view model = "m") {
    std::map<std::string, int> seen;
    for (int i = 0; i < times; ++i) ++seen[name(model)];
    return seen;
  }

  NodeId id(std::string_view node) { return pool.find(node)->id(); }

  std::vector<NodeId> all_but(std::string_view node) {
    std::vector<NodeId> others;
    for (const auto& other : pool.nodes()) {
      if (other->name() != node) others.push_back(other->id());
    }
    return others;
  }

  /// One attempt on a node ends like that.
  void end(std::string_view node, const Outcome& outcome, std::string_view model = "m") {
    PickOutcome picked = pick(model, all_but(node));
    if (picked) picked.ticket.record(outcome, time);
  }
  void fail(std::string_view node, FailureKind kind, int times = 1, std::string_view model = "m") {
    for (int i = 0; i < times; ++i) end(node, Outcome::of(kind, 10ms, answered(kind)), model);
  }
  static bool answered(FailureKind kind) {
    return traits(kind).failure_class == FailureClass::status;
  }

  /// The node's key at that place is not used for a while.
  void rest(std::string_view node, std::string_view model, Duration time_off, std::size_t key = 0) {
    const std::shared_ptr<const Node> resting = pool.find(node);
    pool.rest_key(resting->id(), resting->keys().at(key)->id(), model, after(time, time_off));
  }

  NodeStatus status(std::string_view node) {
    for (NodeStatus& each : pool.snapshot(time)) {
      if (each.node->name() == node) return each;
    }
    return {};
  }

  ManualTime time;
  Rng rng{99};
  std::vector<std::string> events;  ///< "breaker_opened a m"
  std::function<void()> on_event{};
  std::unique_ptr<Strategy> strategy = make_strategy("round_robin");
  NodePool pool;
  NodePool::Reader reader{pool};

 private:
  PoolOptions telling(PoolOptions options) {
    options.on_change = [this](const NodeChange& change) {
      const char* kinds[] = {"healthy", "unhealthy", "breaker_opened", "breaker_half_open",
                             "breaker_closed"};
      std::string text = kinds[static_cast<int>(change.kind)];
      text.append(" ").append(change.node);
      if (!change.model.empty()) text.append(" ").append(change.model);
      events.push_back(text);
      if (on_event) on_event();
    };
    return options;
  }
};

using Picks = std::map<std::string, int>;
using Names = std::vector<std::string>;

}  // namespace llmroute::test
