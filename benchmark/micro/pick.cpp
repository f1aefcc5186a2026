/// A pick as the router makes it: through a reader of a pool, by every strategy, from few nodes and
/// from many. What draws is to stay constant, at most 200 ns at 10,000 nodes.
#include <benchmark/benchmark.h>

#include <llmroute/core/make_strategy.hpp>
#include <llmroute/core/node_pool_reader.hpp>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace llmroute;

constexpr Time moment{std::chrono::seconds(1000)};

std::vector<NodeConfig> nodes(std::int64_t count) {
  std::vector<NodeConfig> made;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string name = "node-" + std::to_string(i);
    made.push_back({.name = name, .url = "http://" + name, .models = {"m"}});
  }
  return made;
}

class Picks {
 public:
  Picks(std::string_view strategy, std::int64_t count)
      : strategy_(make_strategy(strategy)), pool_({}, nodes(count), {}, 1, moment) {}

  PickOutcome pick() {
    return reader_.acquire(*strategy_, {.model = "m"}, "/v1/chat/completions", {}, rng_, moment);
  }

 private:
  std::unique_ptr<Strategy> strategy_;
  NodePool pool_;
  NodePool::Reader reader_{pool_};
  Rng rng_{1};
};

/// The tickets are given back while the clock stands: once in 64 picks, for stopping it costs more
/// than a pick.
void pick(benchmark::State& state, std::string_view strategy) {
  constexpr int batch = 64;
  Picks picks(strategy, state.range(0));
  std::vector<PickOutcome> held;
  held.reserve(batch);
  while (state.KeepRunningBatch(batch)) {
    for (int i = 0; i < batch; ++i) held.push_back(picks.pick());
    state.PauseTiming();
    held.clear();
    state.ResumeTiming();
  }
}

/// Whole: with what came of the call.
void pick_and_release(benchmark::State& state, std::string_view strategy) {
  Picks picks(strategy, state.range(0));
  for (auto _ : state) {
    PickOutcome picked = picks.pick();
    picked.ticket.record({.latency = std::chrono::milliseconds(5)}, moment);
    benchmark::DoNotOptimize(picked);
  }
}

const bool registered = [] {
  for (const char* strategy : {"p2c", "weighted_random", "round_robin", "weighted_round_robin",
                               "least_loaded", "latency_based", "priority"}) {
    const std::string name = strategy;
    benchmark::RegisterBenchmark(("pick/" + name).c_str(), pick, strategy)
        ->Arg(4)
        ->Arg(64)
        ->Arg(1000)
        ->Arg(10000);
    benchmark::RegisterBenchmark(("pick_and_release/" + name).c_str(), pick_and_release, strategy)
        ->Arg(4)
        ->Arg(64)
        ->Arg(1000)
        ->Arg(10000);
  }
  return true;
}();

}  // namespace
