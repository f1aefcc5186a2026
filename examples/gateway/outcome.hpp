/// How a request for inference ended: the access line of the log, one count in the metrics.
#pragma once

#include <llmroute/core/time.hpp>
#include <llmroute/usage.hpp>
#include <optional>
#include <string_view>

namespace gateway {

class Gateway;

struct Outcome {
  std::string_view request_id{};
  std::string_view model{};
  std::string_view node{};  ///< that answered, or was asked last
  int status =
      0;  ///< as the caller saw it; 499: it had gone; of a broken stream what it would have been
  bool stream = false;
  std::size_t attempts = 0;
  std::string_view error{};  ///< the error's code; empty: none
  llmroute::Usage usage{};
  std::string_view key_prefix{};  ///< Identity::key_prefix; never more of a key
  std::string_view client{};      ///< the caller's address
  llmroute::Duration time{};
  std::optional<llmroute::Duration> first_content{};
};

void report(Gateway& gateway, const Outcome& outcome);

}  // namespace gateway
