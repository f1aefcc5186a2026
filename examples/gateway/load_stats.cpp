/// One object a node, and their sums.
#include "load_stats.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <llmroute/wire/json_text.hpp>

#include "info.hpp"

namespace gateway {
namespace {

using llmroute::NodeSnapshot;

double percent(double load, double capacity) {
  return capacity > 0 ? std::clamp(100 * load / capacity, 0.0, 100.0) : 0;
}

std::string number(std::optional<double> value) {
  return value ? fmt::format("{}", *value) : "null";
}

double load_of(const NodeSnapshot& node) {
  const double own = node.in_flight;
  return node.reported ? std::max(own, node.reported->load.running.value_or(0)) : own;
}

std::string server_json(const NodeSnapshot& node) {
  const llmroute::LoadReport report = node.reported ? node.reported->load : llmroute::LoadReport{};
  const double load = load_of(node);
  return fmt::format(
      R"({{"url":{},"current_load":{},"max_capacity":{},"available_capacity":{},)"
      R"("utilization_percent":{:.2f},"status":"{}","detailed_metrics":{{)"
      R"("num_requests_running":{},"num_requests_waiting":{},"gpu_cache_usage_perc":{},)"
      R"("process_max_fds":{}}}}})",
      llmroute::wire::json_quote(node.url), load, node.capacity,
      std::max(0.0, node.capacity - load), percent(load, node.capacity),
      usable(node) ? "healthy" : "unhealthy", number(report.running), number(report.waiting),
      number(report.kv_cache_usage), number(report.max_fds));
}

}  // namespace

std::string load_stats_json(const llmroute::Snapshot& snapshot) {
  std::string out = R"({"servers":[)";
  double load = 0;
  double capacity = 0;
  for (const NodeSnapshot& node : snapshot.nodes) {
    if (&node != snapshot.nodes.data()) out += ',';
    out += server_json(node);
    load += load_of(node);
    capacity += node.capacity;
  }
  const auto healthy = std::count_if(snapshot.nodes.begin(), snapshot.nodes.end(), usable);
  fmt::format_to(std::back_inserter(out),
                 R"(],"summary":{{"total_servers":{},"healthy_servers":{},"total_active_load":{},)"
                 R"("total_capacity":{},"overall_utilization_percent":{:.2f}}}}})",
                 snapshot.nodes.size(), healthy, load, capacity, percent(load, capacity));
  return out;
}

}  // namespace gateway
