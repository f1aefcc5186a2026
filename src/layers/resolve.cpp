#include "layers/resolve.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <llmroute/wire/request_view.hpp>

#include "layers/refusals.hpp"
#include "router/loop_state.hpp"
#include "router/router_core.hpp"

namespace llmroute::detail {

namespace {

net::Task<Result<Reply>> end_with(Error error) { co_return error; }

Error bad_argument(const CallState& call, std::string_view param, std::string message) {
  Error error = call.fail(ErrorCode::invalid_argument, std::move(message));
  error.param = param;
  return error;
}

}  // namespace

std::optional<std::string> default_model(RouterCore& core) {
  const std::string& configured = core.config().router.default_model;
  if (!configured.empty()) return configured;
  std::vector<std::string> models = core.pool().models();
  if (models.size() == 1) return std::move(models.front());
  return std::nullopt;
}

PickRequest pick_request(const Request& request, const wire::RequestView& view,
                         std::string_view model, bool stream) {
  constexpr std::size_t bytes_a_token = 4;
  constexpr std::size_t most = std::numeric_limits<std::uint32_t>::max();
  return {.model = model,
          .session_key = request.options.session_key,
          .prompt_tokens =
              static_cast<std::uint32_t>(std::min(request.body.size() / bytes_a_token, most)),
          .output_tokens = view.max_tokens,
          .stream = stream};
}

Error unknown_model(const CallState& call) {
  const std::vector<std::string> models = call.core.pool().models();
  Error error = call.fail(ErrorCode::model_not_found,
                          fmt::format("no model \"{}\"; there are: {}", call.model,
                                      models.empty() ? std::string("none")
                                                     : fmt::format("{}", fmt::join(models, ", "))));
  error.param = "model";
  return error;
}

net::Task<Result<Reply>> ResolveLayer::handle(CallState& call, Next next) {
  Result<wire::RequestView> view = wire::read_request(call.request.body);
  if (!view) return end_with(std::move(view).error());
  call.view = std::move(*view);
  if (call.view.stream && !call.stream()) {
    return end_with(
        bad_argument(call, "stream",
                     "\"stream\": true asks for a stream, this call gives a whole answer: "
                     "use stream(), or leave it out"));
  }
  if (call.view.has_model) {
    call.model = call.view.model;
  } else if (std::optional<std::string> model = default_model(call.core)) {
    call.model = std::move(*model);
  } else if (const std::vector<std::string> models = call.core.pool().models(); !models.empty()) {
    return end_with(bad_argument(call, "model",
                                 fmt::format("the request names no model and there are several: {}",
                                             fmt::join(models, ", "))));
  }
  if (call.core.hedges().enabled()) call.core.hedges().call_started();
  call.core.budget().deposit(call.loop.now(), call.core.queue().in_use());
  call.pick = pick_request(call.request, call.view, call.model, call.stream());
  if (!call.model.empty() && !call.local.reader.knows_model(call.model)) {
    return end_with(unknown_model(call));
  }
  return next(call);
}

}  // namespace llmroute::detail
