/// The three lists of fallbacks that LiteLLM's files have beside their models.
#pragma once

#include <llmroute/result.hpp>

#include "setting.hpp"

namespace gateway {

/// Puts each chain to the model it is about. `chains` may have `fallbacks` and
/// `context_window_fallbacks`, lists of { model: [others] }, and `default_fallbacks`, a list of
/// models. A name that is none of `models` is an error with the nearest.
llmroute::Result<void> put_fallbacks(const Setting& chains, Setting::Array& models);

}  // namespace gateway
