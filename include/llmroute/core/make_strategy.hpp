/// Strategies by the names they have in configuration: a plain table, for self-registration gets
/// lost in static libraries.
#pragma once

#include <algorithm>
#include <cstdint>
#include <llmroute/core/strategies/latency_based.hpp>
#include <llmroute/core/strategies/least_loaded.hpp>
#include <llmroute/core/strategies/peak_ewma.hpp>
#include <llmroute/core/strategies/power_of_two.hpp>
#include <llmroute/core/strategies/priority.hpp>
#include <llmroute/core/strategies/round_robin.hpp>
#include <llmroute/core/strategies/vllm_load.hpp>
#include <llmroute/core/strategies/weighted_random.hpp>
#include <llmroute/core/strategies/weighted_round_robin.hpp>
#include <llmroute/core/strategy.hpp>
#include <memory>
#include <string_view>
#include <vector>

namespace llmroute {

namespace detail {

struct StrategyRow {
  std::string_view name;
  std::unique_ptr<Strategy> (*make)(std::uint64_t seed);
};

template <Picker P>
std::unique_ptr<Strategy> make_plain(std::uint64_t) {
  return std::make_unique<StrategyOf<P>>();
}

template <Picker P>
std::unique_ptr<Strategy> make_seeded(std::uint64_t seed) {
  return std::make_unique<StrategyOf<P>>(seed);
}

/// A name first, then what other products call it.
inline constexpr StrategyRow strategy_table[] = {
    {"auto", make_plain<PowerOfTwo>},
    {"round_robin", make_seeded<RoundRobin>},
    {"weighted_round_robin", make_seeded<WeightedRoundRobin>},
    {"weighted_random", make_plain<WeightedRandom>},
    {"weighted", make_plain<WeightedRandom>},
    {"simple_shuffle", make_plain<WeightedRandom>},
    {"least_loaded", make_plain<LeastLoaded>},
    {"least_request", make_plain<LeastLoaded>},
    {"least_busy", make_plain<LeastLoaded>},
    {"p2c", make_plain<PowerOfTwo>},
    {"latency_based", make_plain<LatencyBased>},
    {"least_latency", make_plain<LatencyBased>},
    {"latency_based_routing", make_plain<LatencyBased>},
    {"peak_ewma", make_plain<PeakEwmaBalancer>},
    {"vllm_load", make_plain<VllmLoad>},
    {"capacity", make_plain<VllmLoad>},
    {"priority", make_plain<LowestPriority>},
};

inline bool same_strategy_name(std::string_view a, std::string_view b) noexcept {
  const auto plain = [](char c) { return c == '-' ? '_' : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return plain(x) == plain(y); });
}

}  // namespace detail

/// A new strategy, or null for a name nobody knows. Dashes and underscores are the same. `seed`
/// decides where those that take turns begin.
inline std::unique_ptr<Strategy> make_strategy(std::string_view name, std::uint64_t seed = 0) {
  for (const detail::StrategyRow& row : detail::strategy_table) {
    if (detail::same_strategy_name(row.name, name)) return row.make(seed);
  }
  return nullptr;
}

/// Every name make_strategy takes, other products' names included.
inline std::vector<std::string_view> strategy_names() {
  std::vector<std::string_view> names;
  for (const detail::StrategyRow& row : detail::strategy_table) names.push_back(row.name);
  return names;
}

}  // namespace llmroute
