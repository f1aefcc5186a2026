#include "router/explain.hpp"

#include <llmroute/wire/request_view.hpp>

#include "layers/resolve.hpp"
#include "router/router_core.hpp"

namespace llmroute::detail {

Result<Explanation> explain(RouterCore& core, const Request& request) {
  const Result<wire::RequestView> view = wire::read_request(request.body);
  if (!view) return view.error();
  Explanation explanation{.model = view->model, .strategy = core.config().router.strategy};
  if (!view->has_model) explanation.model = default_model(core).value_or("");
  Rng rng(core.draw_seed());
  const PickRequest question = pick_request(request, *view, explanation.model, view->stream);
  explanation.nodes = core.pool().explain(core.strategy(), question, rng, Clock::now());
  return explanation;
}

}  // namespace llmroute::detail
