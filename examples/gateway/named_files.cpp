/// Says which key is at fault.
#include "named_files.hpp"

#include <http/tls.hpp>

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

llmroute::Result<void> check_named_files(const Options& options) {
  if (auto tls = load_tls(options.server.tls); !tls) return tls.error();
  if (!options.needs_store()) return {};
  if (auto file = file_of(options.store.database_url); !file) return file.error();
  return {};
}

llmroute::Result<Options> load_to_run(const Flags& flags, const Environment& environment) {
  auto options = load(flags, environment);
  if (!options) return options;
  if (auto there = check_named_files(*options); !there) return there.error();
  return options;
}

}  // namespace gateway
