/// A router in front of scripted nodes, with names n1, n2, ... and short waits.
#pragma once

#include <catch2/catch.hpp>
#include <deque>
#include <llmroute/router.hpp>
#include <string>
#include <vector>

#include "support/scripted_upstream.hpp"

namespace llmroute::test {

using namespace std::chrono_literals;

inline constexpr std::string_view hello =
    R"({"model":"m","messages":[{"role":"user","content":"hi"}]})";

/// Nodes asked in turn, so that a test knows who comes next.
inline Config config_for(const std::vector<std::string>& urls) {
  Config config;
  config.router.strategy = "priority";
  config.router.backoff = 1ms;
  config.router.seed = 7;
  int number = 0;
  for (const std::string& url : urls) {
    ++number;
    config.nodes.push_back(
        {.name = "n" + std::to_string(number), .url = url, .models = {"m"}, .priority = number});
  }
  return config;
}

template <class... Nodes>
Config config_of(const Nodes&... nodes) {
  return config_for({nodes.url()...});
}

/// Everything a stream gave.
struct Collected {
  std::vector<std::string> data{};
  std::string raw{};
  std::optional<Error> error{};
};

inline Collected collect(Stream& stream) {
  Collected all;
  for (const Result<Event>& event : stream) {
    if (!event) {
      all.error = event.error();
      break;
    }
    all.data.emplace_back(event->data);
    all.raw.append(event->raw);
  }
  return all;
}

/// What an attempt failed with, for tables.
inline std::vector<std::string> nodes_asked(const std::vector<AttemptRecord>& attempts) {
  std::vector<std::string> names;
  for (const AttemptRecord& attempt : attempts) names.push_back(attempt.node);
  return names;
}

}  // namespace llmroute::test
