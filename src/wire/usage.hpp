/// Reading `usage` objects.
#pragma once

#include <simdjson.h>

#include <llmroute/usage.hpp>

namespace llmroute::wire {

/// Counts that are missing or no integers are 0, but a total is then the sum.
Usage read_usage(simdjson::ondemand::object object);

}  // namespace llmroute::wire
