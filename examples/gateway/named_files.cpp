/// Says which key is at fault.
#include "named_files.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <http/tls.hpp>
#include <system_error>

#include "store/database.hpp"

namespace gateway {

llmroute::Result<std::shared_ptr<http::TlsContext>> load_tls(const ServerTls& files) {
  if (files.cert_file.empty()) return std::shared_ptr<http::TlsContext>();
  auto loaded = http::TlsContext::load({.cert_file = files.cert_file,
                                        .key_file = files.key_file,
                                        .client_ca_file = files.client_ca_file});
  if (!loaded) loaded.error().message = "server.tls." + loaded.error().message;
  return loaded;
}

namespace {

/// The store makes its file, but no directory.
llmroute::Result<void> check_directory(const std::string& store) {
  const auto directory = std::filesystem::absolute(store).parent_path();
  if (::access(directory.c_str(), W_OK | X_OK) == 0) return {};
  return llmroute::Error{
      .code = llmroute::ErrorCode::invalid_config,
      .message = fmt::format("key \"store.database_url\": no file can be made in \"{}\": {}",
                             directory.string(), std::generic_category().message(errno)),
      .param = "store.database_url"};
}

}  // namespace

llmroute::Result<void> check_named_files(const Options& options) {
  if (auto tls = load_tls(options.server.tls); !tls) return tls.error();
  if (!options.needs_store()) return {};
  const auto file = file_of(options.store.database_url);
  return file ? check_directory(*file) : file.error();
}

llmroute::Result<Options> load_to_run(const Flags& flags, const Environment& environment) {
  auto options = load(flags, environment);
  if (!options) return options;
  if (auto there = check_named_files(*options); !there) return there.error();
  return options;
}

}  // namespace gateway
