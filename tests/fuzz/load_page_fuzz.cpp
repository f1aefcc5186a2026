// The page of a node's GET /metrics.
#include <cmath>
#include <llmroute/wire/load_page.hpp>

#include "fuzz/fuzz.hpp"

using namespace llmroute::fuzz;

LLMROUTE_FUZZ_TARGET(load_page) {
  const llmroute::LoadReport report = llmroute::wire::read_load_page(input);
  for (const auto& figure :
       {report.running, report.waiting, report.kv_cache_usage, report.max_fds}) {
    require(!figure || *figure >= 0, "a figure is no less than nothing");
  }
}
