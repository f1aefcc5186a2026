/// Loads a configuration from a text, for the tests of the forms that it may have.
#pragma once

#include <catch2/catch.hpp>
#include <string>

#include "gateway/load.hpp"
#include "temporary_directory.hpp"

namespace gateway_test {

/// What is understood of `text` in a file of that name.
inline gateway::Options understood(const std::string& name, std::string_view text,
                                   const gateway::Environment& environment = {}) {
  auto options = gateway::load_text(name, text, {}, environment);
  if (!options) FAIL(options.error().message);
  return std::move(*options);
}

/// Why it is refused: one line.
inline std::string refusal_of(const std::string& name, std::string_view text,
                              const gateway::Environment& environment = {}) {
  const auto options = gateway::load_text(name, text, {}, environment);
  REQUIRE_FALSE(options.has_value());
  CHECK(options.error().code == llmroute::ErrorCode::invalid_config);
  CHECK(options.error().message.find('\n') == std::string::npos);
  return options.error().message;
}

}  // namespace gateway_test
