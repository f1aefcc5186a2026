/// The access line of a request that no node is asked for. Routed ones have another: outcome.hpp.
#pragma once

#include <cstddef>
#include <http/message.hpp>
#include <llmroute/core/time.hpp>
#include <optional>
#include <string_view>

#include "log.hpp"

namespace gateway {

/// The `request` line, at info; of paths that are asked all the time at debug while all goes well.
/// Of the target it has the path, key-shaped texts masked. `request` may be one that could be read
/// in part only.
void log_request(const Log& log, const http::Request& request, std::string_view request_id,
                 int status, bool asked_all_the_time);

/// Lets ten lines a second through, so that who tries keys does not bury the rest of a log. Not
/// thread safe.
class LineBudget {
 public:
  /// How many have been left out since the last one that was let through; none: this one is, too.
  std::optional<std::size_t> take(llmroute::Time now);

 private:
  llmroute::Time second_{};  // when it began
  int lines_ = 0;            // in it
  std::size_t left_out_ = 0;
};

/// The `admin_refused` line: somebody came without the admin key, or with a wrong one.
void log_refused_admin(const Log& log, const http::Request& request, std::string_view request_id,
                       std::size_t left_out);

}  // namespace gateway
