/// Files that a configuration names.
#pragma once

#include <http/server.hpp>
#include <memory>

#include "load.hpp"
#include "options.hpp"

namespace gateway {

/// Reads the certificate; null: none is configured. Errors name the key and the file.
llmroute::Result<std::shared_ptr<http::TlsContext>> load_tls(const ServerTls& files);

/// Whether a gateway that is started now will find what its configuration names: the certificate
/// can be read, the store's URL names a file.
llmroute::Result<void> check_named_files(const Options& options);

/// load(), and then the check.
llmroute::Result<Options> load_to_run(const Flags& flags, const Environment& environment);

}  // namespace gateway
