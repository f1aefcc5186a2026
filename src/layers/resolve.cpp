#include "layers/resolve.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <llmroute/wire/request_view.hpp>

#include "layers/ask_model.hpp"
#include "layers/refusals.hpp"
#include "layers/relay.hpp"
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

/// As many as one reads, for there may be thousands.
std::string names_of(const std::vector<std::string>& models) {
  constexpr std::size_t most = 20;
  if (models.empty()) return "none";
  const std::size_t shown = std::min(models.size(), most);
  std::string names =
      fmt::format("{}", fmt::join(models.begin(), models.begin() + static_cast<long>(shown), ", "));
  if (shown < models.size()) names += fmt::format(" and {} more", models.size() - shown);
  return names;
}

}  // namespace

std::optional<std::string> asked_model(const wire::RequestView& view, const CallOptions& options,
                                       const Config& config, const PoolSnapshot& pool) {
  if (!view.model.empty()) return view.model;
  if (!options.model.empty()) return std::string(options.model);
  const std::string& configured = config.router.default_model;
  if (!configured.empty()) return configured;
  std::vector<std::string> models = pool.models();
  if (models.size() == 1) return std::move(models.front());
  return std::nullopt;
}

PickRequest pick_request(std::string_view body, const wire::RequestView& view,
                         std::string_view model, std::string_view session_key, bool stream) {
  constexpr std::size_t bytes_a_token = 4;
  constexpr std::size_t most = std::numeric_limits<std::uint32_t>::max();
  return {.model = model,
          .session_key = session_key,
          .prompt_tokens = static_cast<std::uint32_t>(std::min(body.size() / bytes_a_token, most)),
          .output_tokens = view.max_tokens,
          .stream = stream};
}

Error unknown_model(const CallState& call) {
  Error error = call.fail(ErrorCode::model_not_found,
                          fmt::format("no model \"{}\"; there are: {}", call.model,
                                      names_of(call.core.pool().models())));
  error.param = "model";
  return error;
}

namespace {

std::optional<Error> read_body(CallState& call) {
  Result<wire::RequestView> view = wire::read_request(call.request.body);
  if (!view) return std::move(view).error();
  call.view = std::move(*view);
  if (!call.view.stream || call.stream()) return std::nullopt;
  return bad_argument(call, "stream",
                      "\"stream\": true asks for a stream, this call gives a whole answer: "
                      "use stream(), or leave it out");
}

/// Without a model the request is for any node, as long as no name of one is known.
std::optional<Error> choose_model(CallState& call) {
  std::optional<std::string> model =
      asked_model(call.view, call.request.options, call.config(), *call.snapshot);
  if (model) {
    call.model = std::move(*model);
    return std::nullopt;
  }
  const std::vector<std::string> models = call.snapshot->models();  // as they were a line above
  if (models.empty()) return std::nullopt;
  return bad_argument(
      call, "model",
      fmt::format("the request names no model and there are several: {}", names_of(models)));
}

std::optional<Error> resolve(CallState& call) {
  if (std::optional<Error> error = read_body(call)) return error;
  if (std::optional<Error> error = choose_model(call)) return error;
  if (call.core.hedges().enabled()) call.core.hedges().call_started();
  call.core.budget().deposit(call.loop.now(), call.core.queue().in_use());
  if (!call.model.empty() && !call.local.reader.knows_model(call.model)) {
    return unknown_model(call);
  }
  ask_model(call, call.model);
  return std::nullopt;
}

/// Of a request that is passed on: what its caller says of it. Lists of models name those that
/// chat; a node may well have others for its other paths.
std::optional<Error> resolve_relayed(CallState& call) {
  call.model = call.request.options.model;
  if (call.model.empty()) return std::nullopt;
  const bool is_alias = call.snapshot->alias(call.model) != nullptr;
  const bool known = call.local.reader.knows_model(call.model);
  // A node without a list may have any model, but so may the others on these paths.
  if (known && (is_alias || call.snapshot->heard_of(call.model))) {
    call.pick.model = call.model;
    return std::nullopt;
  }
  const bool may_be_unlisted = call.config().router.unlisted_models == UnlistedModels::serve;
  return is_alias || !may_be_unlisted ? std::optional(unknown_model(call)) : std::nullopt;
}

std::optional<Error> check_options(const CallState& call) {
  if (call.request.options.model.size() <= wire::longest_model) return std::nullopt;
  return bad_argument(call, "model",
                      fmt::format("\"model\": is longer than {} bytes", wire::longest_model));
}

}  // namespace

net::Task<Result<Reply>> ResolveLayer::handle(CallState& call, Next next) {
  std::optional<Error> refused = check_options(call);
  if (!refused) refused = is_inference(call.request) ? resolve(call) : resolve_relayed(call);
  return refused ? end_with(std::move(*refused)) : next(call);
}

}  // namespace llmroute::detail
