/// An observer of the caller's own: events as C reads them.
#include <llmroute/observer.hpp>

#include "boundary.hpp"
#include "router.hpp"
#include "usage.hpp"
#include "user_data.hpp"

namespace capi = llmroute::capi;

using llmroute::Result;

namespace {

llmroute_status status_of(const std::optional<llmroute::ErrorCode>& error) noexcept {
  return error ? static_cast<llmroute_status>(*error) : LLMROUTE_OK;
}

class OwnObserver final : public llmroute::Observer {
 public:
  OwnObserver(const llmroute_observer& functions, capi::UserData user_data) noexcept
      : functions_(functions), user_data_(std::move(user_data)) {}

  void on_attempt(const llmroute::AttemptEvent& event) override {
    if (functions_.on_attempt == nullptr) return;
    const llmroute_attempt_event seen{.request_id = capi::text_out(event.request_id),
                                      .request_id_len = event.request_id.size(),
                                      .model = capi::text_out(event.model),
                                      .model_len = event.model.size(),
                                      .node = capi::text_out(event.node),
                                      .node_len = event.node.size(),
                                      .reason = capi::text_out(event.reason),
                                      .reason_len = event.reason.size(),
                                      .time_us = capi::microseconds(event.time),
                                      .first_content_us = capi::microseconds(event.first_content),
                                      .status = status_of(event.error),
                                      .http_status = event.http_status,
                                      .number = event.number,
                                      .key = event.key,
                                      .rung = static_cast<std::int32_t>(event.rung),
                                      .reserved = 0};
    const capi::InCallback inside;
    functions_.on_attempt(user_data_.get(), &seen);
  }

  void on_call(const llmroute::CallEvent& event) override {
    if (functions_.on_call == nullptr) return;
    const llmroute_call_event seen{.request_id = capi::text_out(event.request_id),
                                   .request_id_len = event.request_id.size(),
                                   .model = capi::text_out(event.model),
                                   .model_len = event.model.size(),
                                   .tenant = capi::text_out(event.tenant),
                                   .tenant_len = event.tenant.size(),
                                   .node = capi::text_out(event.node),
                                   .node_len = event.node.size(),
                                   .usage = capi::usage_out(event.usage),
                                   .time_us = capi::microseconds(event.time),
                                   .first_content_us = capi::microseconds(event.first_content),
                                   .status = status_of(event.error),
                                   .http_status = event.http_status,
                                   .attempts = event.attempts,
                                   .is_stream = event.stream ? 1 : 0};
    const capi::InCallback inside;
    functions_.on_call(user_data_.get(), &seen);
  }

  void on_node(const llmroute::NodeEvent& event) override {
    if (functions_.on_node == nullptr) return;
    const llmroute_node_event seen{.node = capi::text_out(event.node),
                                   .node_len = event.node.size(),
                                   .model = capi::text_out(event.model),
                                   .model_len = event.model.size(),
                                   .kind = static_cast<std::int32_t>(event.kind),
                                   .reserved = 0};
    const capi::InChoice inside;
    functions_.on_node(user_data_.get(), &seen);
  }

 private:
  const llmroute_observer functions_;
  const capi::UserData user_data_;
};

using Kind = llmroute::NodeEvent::Kind;
static_assert(static_cast<int>(Kind::healthy) == LLMROUTE_NODE_HEALTHY);
static_assert(static_cast<int>(Kind::unhealthy) == LLMROUTE_NODE_UNHEALTHY);
static_assert(static_cast<int>(Kind::breaker_opened) == LLMROUTE_NODE_BREAKER_OPENED);
static_assert(static_cast<int>(Kind::breaker_half_open) == LLMROUTE_NODE_BREAKER_HALF_OPEN);
static_assert(static_cast<int>(Kind::breaker_closed) == LLMROUTE_NODE_BREAKER_CLOSED);
using llmroute::Rung;
static_assert(static_cast<int>(Rung::none) == LLMROUTE_RUNG_NONE);
static_assert(static_cast<int>(Rung::ids) == LLMROUTE_RUNG_IDS);
static_assert(static_cast<int>(Rung::replay) == LLMROUTE_RUNG_REPLAY);
static_assert(static_cast<int>(Rung::prefill) == LLMROUTE_RUNG_PREFILL);
static_assert(sizeof(llmroute_attempt_event) % 8 == 0 && sizeof(llmroute_call_event) % 8 == 0);

}  // namespace

extern "C" llmroute_status llmroute_router_use_observer(llmroute_router* router,
                                                        const llmroute_observer* observer,
                                                        llmroute_error** error_out) {
  return capi::guarded(error_out, [&]() -> Result<void> {
    const Result<llmroute_observer> given = capi::struct_in(observer, "observer");
    if (!given) return given.error();
    capi::UserData user_data(given->user_data, given->free_user_data);
    const capi::Use used(router);
    if (!used) return capi::not_usable("router");
    const auto own = std::make_shared<OwnObserver>(*given, std::move(user_data));
    const bool taken = used->unless_settled([&] { used->router->use(own); });
    if (!taken) return capi::misuse("router", "is in use already");
    return {};
  });
}
