/// How one node is chosen among those that may be asked: the interface of every strategy, built in
/// or your own.
#pragma once

#include <concepts>
#include <cstdint>
#include <llmroute/core/node_config.hpp>
#include <llmroute/core/node_stats.hpp>
#include <llmroute/core/pick_request.hpp>
#include <llmroute/core/rng.hpp>
#include <llmroute/core/time.hpp>
#include <llmroute/core/weight_table.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace llmroute {

/// A position in the span a strategy was given.
enum class NodeIndex : std::uint32_t {};

/// One node as a strategy sees it. Cheap to copy; valid during the pick.
class NodeView {
 public:
  /// `weight` is the effective one: slow start and a model's own weights are in it.
  NodeView(const NodeConfig& config, const NodeStats& stats, double weight) noexcept
      : config_(&config), stats_(&stats), weight_(weight), capacity_(config.load_capacity()) {}

  std::string_view name() const noexcept { return config_->name; }
  double weight() const noexcept { return weight_; }
  double capacity() const noexcept { return capacity_; }  ///< divisor of load scores, > 0
  int priority() const noexcept { return config_->priority; }
  int in_flight() const noexcept { return stats_->in_flight.load(std::memory_order_relaxed); }
  const NodeConfig& config() const noexcept { return *config_; }
  const NodeStats& stats() const noexcept { return *stats_; }

 private:
  const NodeConfig* config_;
  const NodeStats* stats_;
  double weight_;
  double capacity_;
};

/// What a pick may use beside the nodes.
struct PickContext {
  Rng& rng;
  Time now;
  const WeightTable& weights;  ///< over the same nodes, computed once a candidate list
};

/// A strategy: compares numbers and names one of the nodes. The span is never empty. Called from
/// many loops at once, so state of its own is atomic.
template <class P>
concept Picker = requires(P& picker, std::span<const NodeView> nodes, const PickRequest& request,
                          PickContext& context) {
  { picker.pick(nodes, request, context) } -> std::same_as<NodeIndex>;
};

/// The same function made virtual: what a router holds, since names come from configuration. One
/// that uses the router from inside starts no call on the loop that it is called on.
///
///     struct Cheapest : llmroute::Strategy {
///       NodeIndex pick(std::span<const NodeView> nodes, const PickRequest&, PickContext&) override
///       { ... }
///     };
class Strategy {
 public:
  virtual ~Strategy() = default;
  virtual NodeIndex pick(std::span<const NodeView> nodes, const PickRequest& request,
                         PickContext& context) = 0;

  /// Whether it goes by NodeStats::others: nodes are then asked for their load now and then.
  virtual bool wants_load_reports() const { return false; }

  /// What it compares, the least the best; none where it does not compare. For Router::explain.
  virtual std::optional<double> score(const NodeView&, const PickRequest&, Time) const {
    return std::nullopt;
  }
};

/// A Picker that says by which number it goes.
template <class P>
concept Scorer =
    requires(const P& picker, const NodeView& node, const PickRequest& request, Time now) {
      { picker.score(node, request, now) } -> std::convertible_to<double>;
    };

/// Makes a Strategy of any Picker.
template <Picker P>
class StrategyOf final : public Strategy {
 public:
  template <class... Args>
  explicit StrategyOf(Args&&... args) : picker_(std::forward<Args>(args)...) {}

  NodeIndex pick(std::span<const NodeView> nodes, const PickRequest& request,
                 PickContext& context) override {
    return picker_.pick(nodes, request, context);
  }

  bool wants_load_reports() const override {
    if constexpr (requires { P::wants_load_reports; }) {
      return P::wants_load_reports;
    } else {
      return false;
    }
  }

  std::optional<double> score(const NodeView& node, const PickRequest& request,
                              Time now) const override {
    if constexpr (Scorer<P>) {
      return picker_.score(node, request, now);
    } else {
      return std::nullopt;
    }
  }

 private:
  P picker_;
};

}  // namespace llmroute
