#include "router/explain.hpp"

#include <llmroute/wire/request_view.hpp>

#include "layers/resolve.hpp"
#include "router/router_core.hpp"

namespace llmroute::detail {

Result<Explanation> explain(RouterCore& core, const Request& request) {
  const Result<wire::RequestView> view = wire::read_request(request.body);
  if (!view) return view.error();
  const std::shared_ptr<const PoolSnapshot> snapshot = core.pool().current();
  const Settings& settings = settings_of(*snapshot);
  Explanation explanation{
      .model = asked_model(*view, request.options, settings.config, *snapshot).value_or(""),
      .strategy = settings.config.router.strategy};
  const ModelSettings* alias = settings.model(explanation.model);
  if (alias != nullptr && alias->strategy) explanation.strategy = alias->config->strategy;
  Rng rng(core.draw_seed());
  const PickRequest question = pick_request(request.body, *view, explanation.model,
                                            request.options.session_key, view->stream);
  explanation.nodes =
      core.pool().explain(core.strategy(settings, alias), question, rng, Clock::now());
  return explanation;
}

}  // namespace llmroute::detail
