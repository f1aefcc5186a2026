/// What Config::prepare says of a configuration, for its tests.
#pragma once

#include <catch2/catch.hpp>
#include <llmroute/config.hpp>
#include <string>

namespace llmroute::test {

inline Config with_node(const std::string& url) {
  Config config;
  config.nodes.push_back({.url = url});
  return config;
}

/// What is wrong with a configuration; "ok": nothing.
inline std::string fault(Config config) {
  const Result<void> prepared = config.prepare();
  if (prepared) return "ok";
  CHECK(prepared.error().code == ErrorCode::invalid_config);
  CHECK(prepared.error().message.find("key \"" + prepared.error().param + "\": ") == 0);
  return prepared.error().message;
}

/// The key at fault.
inline std::string fault_key(Config config) {
  const Result<void> prepared = config.prepare();
  return prepared ? "ok" : prepared.error().param;
}

}  // namespace llmroute::test
