/// X-RateLimit-{Limit,Remaining,Reset}-{Requests,Tokens}: where a caller stands, in OpenAI's words.
#pragma once

#include <http/message.hpp>
#include <llmroute/core/rate_limit.hpp>
#include <string>

namespace gateway {

/// Adds the fields of what is limited; whether there was any.
bool add_rate_fields(http::Fields& fields, const llmroute::RateReport& rate);

/// "6m0s", "12s", "350ms": rounded up; "0ms" when nothing is spent.
std::string reset_text(llmroute::Duration wait);

}  // namespace gateway
