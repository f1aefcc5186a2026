#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <llmroute/wire/load_page.hpp>

namespace llmroute::wire {

namespace {

/// What a metric says.
enum class Tells { running, waiting, unfinished, usage, max_fds };

struct Metric {
  std::string_view name;
  Tells tells;
  std::string_view label{};  ///< only samples with this one, `key="value"`; empty: all
};

/// Of several rows that tell the same and are on one page, the first counts: engines keep an old
/// name beside the new one for a while.
constexpr std::array metrics = {
    Metric{"vllm:num_requests_running", Tells::running},
    Metric{"vllm:num_requests_waiting", Tells::waiting},
    Metric{"vllm:kv_cache_usage_perc", Tells::usage},   // V1
    Metric{"vllm:gpu_cache_usage_perc", Tells::usage},  // V0
    Metric{"sglang:num_running_reqs", Tells::running},
    Metric{"sglang:num_queue_reqs", Tells::waiting},
    Metric{"sglang:token_usage", Tells::usage},
    Metric{"sglang_num_running_reqs", Tells::running},
    Metric{"sglang_num_queue_reqs", Tells::waiting},
    Metric{"sglang_token_usage", Tells::usage},
    Metric{"tgi_batch_current_size", Tells::running},
    Metric{"tgi_queue_size", Tells::waiting},
    Metric{"llamacpp:requests_processing", Tells::running},
    Metric{"llamacpp:requests_deferred", Tells::waiting},
    Metric{"llamacpp:kv_cache_usage_ratio", Tells::usage},
    Metric{"nv_trt_llm_request_metrics", Tells::running, R"(request_type="scheduled")"},
    Metric{"nv_trt_llm_request_metrics", Tells::waiting, R"(request_type="waiting")"},
    Metric{"nv_trt_llm_request_metrics", Tells::unfinished, R"(request_type="active")"},
    Metric{"nv_trt_llm_kv_cache_block_metrics", Tells::usage, R"(kv_cache_block_type="fraction")"},
    Metric{"trtllm_num_requests_running", Tells::running},
    Metric{"trtllm_num_requests_waiting", Tells::waiting},
    Metric{"trtllm_kv_cache_utilization", Tells::usage},
    Metric{"trtllm:num_requests_running", Tells::running},
    Metric{"trtllm:num_requests_waiting", Tells::waiting},
    Metric{"trtllm:kv_cache_utilization", Tells::usage},
    Metric{"process_max_fds", Tells::max_fds},
};

using Values = std::array<std::optional<double>, metrics.size()>;

struct Sample {
  std::string_view name{};
  std::string_view labels{};  ///< between the braces
  std::string_view value{};
};

/// Where the labels that begin at `from` end: at the brace that is in no quotes.
std::size_t end_of_labels(std::string_view line, std::size_t from) noexcept {
  bool quoted = false;
  for (std::size_t i = from; i < line.size(); ++i) {
    if (quoted && line[i] == '\\') {
      ++i;
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (line[i] == '}' && !quoted) {
      return i;
    }
  }
  return line.npos;
}

/// `name{labels} value [timestamp] [# exemplar]`; none for comments and what is no sample.
std::optional<Sample> split_sample(std::string_view line) noexcept {
  const std::size_t end = line.find_first_of("{ \t");
  if (line.starts_with('#') || end == 0 || end == line.npos) return std::nullopt;
  Sample sample{.name = line.substr(0, end)};
  std::size_t at = end;
  if (line[end] == '{') {
    const std::size_t close = end_of_labels(line, end + 1);
    if (close == line.npos) return std::nullopt;
    sample.labels = line.substr(end + 1, close - end - 1);
    at = close + 1;
  }
  at = line.find_first_not_of(" \t", at);
  if (at == line.npos) return std::nullopt;
  sample.value = line.substr(at, line.find_first_of(" \t\r", at) - at);
  return sample;
}

/// A number of requests or a share; NaN, infinities and what is below zero say nothing.
std::optional<double> read_value(std::string_view text) noexcept {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = failed == std::errc{} && end == text.data() + text.size();
  return whole && std::isfinite(value) && value >= 0 ? std::optional(value) : std::nullopt;
}

/// Whether `wanted` is one of the labels, not a part of one.
bool has_label(std::string_view labels, std::string_view wanted) noexcept {
  const std::size_t at = labels.find(wanted);
  return at != labels.npos && (at == 0 || labels[at - 1] == ',' || labels[at - 1] == ' ');
}

void take(const Sample& sample, Values& values) noexcept {
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    const Metric& metric = metrics[i];
    if (sample.name != metric.name) continue;
    if (!metric.label.empty() && !has_label(sample.labels, metric.label)) continue;
    const std::optional<double> value = read_value(sample.value);
    if (!value) return;
    const double before = values[i].value_or(0);
    values[i] = metric.tells == Tells::usage ? std::max(before, *value) : before + *value;
  }
}

std::optional<double> first_that_tells(Tells what, const Values& values) noexcept {
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    if (metrics[i].tells == what && values[i]) return values[i];
  }
  return std::nullopt;
}

}  // namespace

LoadReport read_load_page(std::string_view page) {
  Values values{};
  while (!page.empty()) {
    const std::string_view line = page.substr(0, page.find('\n'));
    page.remove_prefix(std::min(line.size() + 1, page.size()));
    if (const std::optional<Sample> sample = split_sample(line)) take(*sample, values);
  }
  LoadReport report{.running = first_that_tells(Tells::running, values),
                    .waiting = first_that_tells(Tells::waiting, values),
                    .kv_cache_usage = first_that_tells(Tells::usage, values),
                    .max_fds = first_that_tells(Tells::max_fds, values)};
  const std::optional<double> unfinished = first_that_tells(Tells::unfinished, values);
  if (!report.waiting && unfinished) {  // Triton's older backends: running and waiting in one
    report.waiting = std::max(0.0, *unfinished - report.running.value_or(0));
  }
  return report;
}

}  // namespace llmroute::wire
