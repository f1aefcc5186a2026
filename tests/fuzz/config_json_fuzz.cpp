// A configuration: refused with a reason, or one that a router can run.
#include <llmroute/config.hpp>

#include "fuzz/fuzz.hpp"

using namespace llmroute::fuzz;

LLMROUTE_FUZZ_TARGET(config_json) {
  auto config = llmroute::Config::from_json(input);
  if (!config) return require(!config.error().message.empty(), "a refusal says why");
  const auto ready = config->prepare();
  if (!ready) return require(!ready.error().message.empty(), "a refusal says why");
  require(config->prepare().has_value(), "what is prepared is good");
}
