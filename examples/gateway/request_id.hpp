/// The name a request goes by in logs, in the answer's X-Request-ID and at the node: the caller's
/// own, or one made here.
#pragma once

#include <llmroute/core/rng.hpp>
#include <string>
#include <string_view>

namespace gateway {

/// Short, and of characters that mean nothing to any header, log or shell.
bool sane_request_id(std::string_view id);

/// "req-" and 128 random bits.
std::string make_request_id(llmroute::Rng& rng);

}  // namespace gateway
