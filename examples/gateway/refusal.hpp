/// What a caller is told when a call failed: status, body and the fields that say whether to come
/// back.
#pragma once

#include <llmroute/error.hpp>
#include <optional>
#include <string>

#include "metrics.hpp"

namespace gateway {

struct Refusal {
  int status = 500;
  std::string body;  ///< OpenAI's error object, or the node's own body
  std::optional<long> retry_after_seconds{};
  bool retried = false;  ///< the router has asked more than once: the caller need not
  const llmroute::Headers* node_fields = nullptr;  ///< with a node's own body: its header fields
};

/// The `error` must outlive the refusal. A node's 4xx goes through untouched, but for 401 and 403:
/// the caller's own token was good, the node's key was not, and that is none of the caller's
/// business.
Refusal refusal_of(const llmroute::Error& error);

/// The event that ends a stream which broke after its head had gone out.
std::string error_event(const llmroute::Error& error);

/// Which rejection an error counts as; none when a node was asked.
std::optional<Rejection> rejection_of(const llmroute::Error& error);

}  // namespace gateway
