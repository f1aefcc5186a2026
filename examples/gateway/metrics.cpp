/// Counts, and writes the page.
#include "metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace gateway {
namespace {

constexpr std::string_view other_name = "other";
constexpr std::array<std::string_view, 5> status_names = {"2xx", "4xx", "429", "5xx", "cancelled"};
constexpr std::array<std::string_view, 5> rejection_names = {"queue_full", "queue_timeout",
                                                             "rate_limit", "no_node", "draining"};
constexpr std::array<std::string_view, 2> stream_names = {"false", "true"};

std::size_t status_class(int status) {
  if (status == 499) return 4;
  if (status == 429) return 2;
  if (status >= 500) return 3;
  return status >= 400 ? 1 : 0;
}

void head(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  fmt::format_to(std::back_inserter(out), "# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
}

/// One sample a node.
template <class F>
void per_node(std::string& out, std::string_view name, const llmroute::Snapshot& snapshot,
              F&& value) {
  for (const llmroute::NodeSnapshot& node : snapshot.nodes) {
    fmt::format_to(std::back_inserter(out), "{}{{node=\"{}\"}} {}\n", name, label_value(node.name),
                   value(node));
  }
}

void append_nodes(std::string& out, const llmroute::Snapshot& snapshot) {
  head(out, "queue_depth", "gauge", "Requests waiting for a permit.");
  fmt::format_to(std::back_inserter(out), "queue_depth {}\n", snapshot.queue_depth);
  head(out, "requests_per_node_total", "counter", "Requests sent to the node, retries included.");
  per_node(out, "requests_per_node_total", snapshot,
           [](const auto& node) { return node.requests; });
  head(out, "node_active_requests", "gauge", "Requests the node is working on for this gateway.");
  per_node(out, "node_active_requests", snapshot, [](const auto& node) { return node.in_flight; });
}

void append_failures(std::string& out, const llmroute::Snapshot& snapshot) {
  head(out, "node_failures_total", "counter", "Failed requests to the node, by what went wrong.");
  for (const llmroute::NodeSnapshot& node : snapshot.nodes) {
    const std::pair<std::string_view, std::uint64_t> kinds[] = {{"connect", node.connect_errors},
                                                                {"timeout", node.timeout_errors},
                                                                {"status", node.status_errors},
                                                                {"protocol", node.protocol_errors}};
    for (const auto& [kind, count] : kinds) {
      fmt::format_to(std::back_inserter(out), "node_failures_total{{node=\"{}\",kind=\"{}\"}} {}\n",
                     label_value(node.name), kind, count);
    }
  }
}

}  // namespace

std::string label_value(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

void Metrics::Histogram::add(llmroute::Duration time) noexcept {
  const auto at =
      std::lower_bound(latency_bounds.begin(), latency_bounds.end(), llmroute::seconds(time));
  buckets[static_cast<std::size_t>(at - latency_bounds.begin())].fetch_add(
      1, std::memory_order_relaxed);
  const auto spent = std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
  nanoseconds.fetch_add(static_cast<std::uint64_t>(std::max<std::int64_t>(spent, 0)),
                        std::memory_order_relaxed);
}

void Metrics::know(const std::vector<std::string>& models) {
  const std::unique_lock lock(series_lock_);
  for (const std::string& model : models) {
    if (model != other_name && !series_.contains(model)) {
      series_.emplace(model, std::make_unique<Series>());
    }
  }
}

/// `answered`: a node knew the model, so that its name may become a label.
Metrics::Series& Metrics::series(std::string_view model, bool answered) {
  {
    const std::shared_lock lock(series_lock_);
    if (const auto found = series_.find(model); found != series_.end()) return *found->second;
  }
  if (!answered || model.empty() || model == other_name) return other_;
  const std::unique_lock lock(series_lock_);
  if (const auto found = series_.find(model); found != series_.end()) return *found->second;
  if (learnt_ == max_learnt) return other_;
  ++learnt_;
  return *series_.emplace(model, std::make_unique<Series>()).first->second;
}

void Metrics::request_ended(std::string_view model, int status, bool stream,
                            llmroute::Duration time) {
  Series& of_model = series(model, status < 300);
  of_model.requests[status_class(status)][stream ? 1 : 0].fetch_add(1, std::memory_order_relaxed);
  of_model.latency[stream ? 1 : 0].add(time);
}

void Metrics::on_attempt(const llmroute::AttemptEvent& attempt) {
  if (!attempt.error || *attempt.error == llmroute::ErrorCode::cancelled) return;
  std::string code = attempt.http_status >= 400
                         ? fmt::format("{}", attempt.http_status)
                         : std::string(llmroute::traits(*attempt.error).name);
  const std::lock_guard lock(errors_lock_);
  ++upstream_errors_[{std::string(attempt.node), std::move(code)}];
}

std::uint64_t Metrics::requests() const {
  const auto of = [](const Series& one) {
    std::uint64_t sum = 0;
    for (const auto& status : one.requests) sum += status[0].load() + status[1].load();
    return sum;
  };
  const std::shared_lock lock(series_lock_);
  std::uint64_t sum = of(other_);
  for (const auto& [model, one] : series_) sum += of(*one);
  return sum;
}

void Metrics::append_requests(std::string& out) const {
  head(out, "requests_total", "counter", "Requests answered, by what the caller saw.");
  const auto append = [&out](std::string_view model, const Series& one) {
    for (std::size_t status = 0; status < statuses; ++status) {
      for (std::size_t stream = 0; stream < 2; ++stream) {
        const std::uint64_t count = one.requests[status][stream].load(std::memory_order_relaxed);
        if (count == 0) continue;
        fmt::format_to(std::back_inserter(out),
                       "requests_total{{model=\"{}\",status=\"{}\",stream=\"{}\"}} {}\n",
                       label_value(model), status_names[status], stream_names[stream], count);
      }
    }
  };
  const std::shared_lock lock(series_lock_);
  for (const auto& [model, one] : series_) append(model, *one);
  append(other_name, other_);
}

void Metrics::append_latency(std::string& out) const {
  head(out, "request_latency_seconds", "histogram",
       "From the request's arrival to its answer's end.");
  const auto append = [&out](std::string_view model, std::string_view stream,
                             const Histogram& one) {
    const std::string labels =
        fmt::format("model=\"{}\",stream=\"{}\"", label_value(model), stream);
    const auto to = std::back_inserter(out);
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < latency_bounds.size(); ++i) {
      sum += one.buckets[i].load(std::memory_order_relaxed);
      fmt::format_to(to, "request_latency_seconds_bucket{{{},le=\"{}\"}} {}\n", labels,
                     latency_bounds[i], sum);
    }
    sum += one.buckets.back().load(std::memory_order_relaxed);
    fmt::format_to(to, "request_latency_seconds_bucket{{{},le=\"+Inf\"}} {}\n", labels, sum);
    fmt::format_to(to, "request_latency_seconds_sum{{{}}} {}\n", labels,
                   static_cast<double>(one.nanoseconds.load(std::memory_order_relaxed)) / 1e9);
    fmt::format_to(to, "request_latency_seconds_count{{{}}} {}\n", labels, sum);
  };
  const auto both = [&append](std::string_view model, const Series& one) {
    for (std::size_t stream = 0; stream < 2; ++stream) {
      const auto& buckets = one.latency[stream].buckets;
      const bool any =
          std::any_of(buckets.begin(), buckets.end(), [](const auto& b) { return b.load() != 0; });
      if (any) append(model, stream_names[stream], one.latency[stream]);
    }
  };
  const std::shared_lock lock(series_lock_);
  for (const auto& [model, one] : series_) both(model, *one);
  both(other_name, other_);
}

void Metrics::append_upstream_errors(std::string& out) const {
  head(out, "upstream_errors_total", "counter",
       "Failed requests to the node, by status or error code.");
  const std::lock_guard lock(errors_lock_);
  for (const auto& [labels, count] : upstream_errors_) {
    fmt::format_to(std::back_inserter(out), "upstream_errors_total{{node=\"{}\",code=\"{}\"}} {}\n",
                   label_value(labels.first), label_value(labels.second), count);
  }
}

std::string Metrics::text(const llmroute::Snapshot& snapshot) const {
  std::string out;
  append_requests(out);
  append_latency(out);
  append_nodes(out, snapshot);
  append_failures(out, snapshot);
  append_upstream_errors(out);
  head(out, "requests_rejected_total", "counter", "Requests turned away without asking a node.");
  for (std::size_t i = 0; i < rejection_names.size(); ++i) {
    fmt::format_to(std::back_inserter(out), "requests_rejected_total{{reason=\"{}\"}} {}\n",
                   rejection_names[i], rejected_[i].load(std::memory_order_relaxed));
  }
  return out;
}

}  // namespace gateway
