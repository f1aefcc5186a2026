/// Everything the gateway can be told, as plain structs with defaults: the library's own
/// configuration, and the sections that only the gateway has. Field names are the keys, letter for
/// letter.
#pragma once

#include <chrono>
#include <cstdint>
#include <llmroute/config.hpp>
#include <string>

#include "log.hpp"

namespace gateway {

/// The keys of [server].
struct ServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8000;  ///< 0: one that is free
  int workers = 0;            ///< threads; 0: one a core
  llmroute::Duration header_timeout = std::chrono::seconds(10);
  llmroute::Duration read_timeout = std::chrono::seconds(30);    ///< of a body, without progress
  llmroute::Duration write_timeout = std::chrono::seconds(300);  ///< of an answer, without progress
  llmroute::Duration idle_timeout = std::chrono::seconds(120);
  std::size_t max_body = 50 << 20;
  std::size_t max_connections = 10000;
  std::size_t max_connections_per_address = 0;  ///< 0: no limit
  llmroute::Duration drain_timeout = std::chrono::seconds(30);
};

/// The keys of [auth].
struct AuthOptions {
  std::string auth_token{};  ///< one token for all; empty: none is asked for
};

/// The keys of [logging].
struct LoggingOptions {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::json;
  bool console = true;  ///< false: nothing is logged
};

struct Options {
  llmroute::Config router{};
  ServerOptions server{};
  AuthOptions auth{};
  LoggingOptions logging{};
  std::string source{};  ///< the file that was used; empty: none
};

}  // namespace gateway
