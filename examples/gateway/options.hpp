/// Everything the gateway can be told, as plain structs with defaults: the library's own
/// configuration, and the sections that only the gateway has. Field names are the keys, letter for
/// letter.
#pragma once

#include <chrono>
#include <cstdint>
#include <llmroute/config.hpp>
#include <map>
#include <string>
#include <vector>

#include "log.hpp"

namespace gateway {

/// The keys of server.tls; with a certificate the listener speaks TLS.
struct ServerTls {
  std::string cert_file{};
  std::string key_file{};
  std::string client_ca_file{};  ///< callers need a certificate that it has signed

  friend bool operator==(const ServerTls&, const ServerTls&) = default;
};

/// The keys of [server].
struct ServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8000;  ///< 0: one that is free
  int workers = 0;            ///< threads; 0: one a core
  llmroute::Duration header_timeout = std::chrono::seconds(10);
  llmroute::Duration read_timeout = std::chrono::seconds(30);    ///< of a body, behind 1 KiB/s
  llmroute::Duration write_timeout = std::chrono::seconds(300);  ///< of an answer, without progress
  llmroute::Duration idle_timeout = std::chrono::seconds(120);
  std::size_t max_body = 50 << 20;
  std::size_t max_body_in_flight = 1024 << 20;  ///< of all requests under way; 0: no limit
  std::size_t max_connections = 10000;
  std::size_t max_connections_per_address = 0;  ///< 0: no limit
  llmroute::Duration drain_timeout = std::chrono::seconds(30);
  std::vector<std::string> trusted_proxies{};  ///< whose X-Forwarded-For counts
  std::string admin_listen{};                  ///< host:port of a listener for /admin alone
  ServerTls tls{};

  friend bool operator==(const ServerOptions&, const ServerOptions&) = default;
};

/// The keys of [auth].
struct AuthOptions {
  std::string auth_token{};                     ///< one token for all
  std::map<std::string, std::string> tokens{};  ///< token to tenant
  std::string admin_key{};                      ///< empty: no admin API
  bool keys = false;                            ///< ml- keys from the store

  friend bool operator==(const AuthOptions&, const AuthOptions&) = default;
};

/// The keys of [store].
struct StoreOptions {
  std::string database_url = "sqlite:llmroute.db";
  int max_open_conns = 4;
  int max_idle_conns = 2;
  std::string redis_url{};  ///< of limits that several gateways share
  llmroute::Duration cache_refresh_interval = std::chrono::seconds(30);

  friend bool operator==(const StoreOptions&, const StoreOptions&) = default;
};

/// The keys of [logging].
struct LoggingOptions {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::json;
  bool console = true;  ///< on standard error
  std::string dir{};    ///< of the three log files; empty: none

  friend bool operator==(const LoggingOptions&, const LoggingOptions&) = default;
};

/// The keys of [reload].
struct ReloadOptions {
  llmroute::Duration interval = std::chrono::seconds(30);  ///< 0: on SIGHUP alone
};

struct Options {
  llmroute::Config router{};
  ServerOptions server{};
  AuthOptions auth{};
  StoreOptions store{};
  LoggingOptions logging{};
  ReloadOptions reload{};
  std::string source{};         ///< the file that was used; empty: none
  std::string form{};           ///< whose documented form it has: "servers.toml"
  std::size_t fingerprint = 0;  ///< of the file's text: tells whether it has changed since

  /// Keys and what the admin API makes are in it; without both there is none.
  bool needs_store() const noexcept { return auth.keys || !auth.admin_key.empty(); }
};

}  // namespace gateway
