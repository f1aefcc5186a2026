/// How loaded a node is, from the page of its GET /metrics.
#pragma once

#include <llmroute/core/load_report.hpp>
#include <string_view>

namespace llmroute::wire {

/// Reads the text format of Prometheus and of OpenMetrics, in one pass. Knows the names of vLLM,
/// SGLang, TGI, llama.cpp, Triton and TensorRT-LLM. Requests are summed over what a name's labels
/// tell apart (engines, models); of shares the largest counts. What is not on the page, or is no
/// number that makes sense, is none.
LoadReport read_load_page(std::string_view page);

}  // namespace llmroute::wire
