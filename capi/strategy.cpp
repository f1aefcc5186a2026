/// A strategy of the caller's own, and what it may read of the nodes.
#include <cmath>
#include <llmroute/core/strategy.hpp>
#include <memory>
#include <optional>
#include <span>

#include "boundary.hpp"
#include "router.hpp"
#include "user_data.hpp"

namespace capi = llmroute::capi;

using llmroute::NodeView;
using llmroute::Result;

struct llmroute_pick {
  std::span<const NodeView> nodes;
  const llmroute::PickRequest& request;
  llmroute::Rng* rng;
};

namespace {

class OwnStrategy final : public llmroute::Strategy {
 public:
  OwnStrategy(const llmroute_strategy& functions, capi::UserData user_data) noexcept
      : functions_(functions), user_data_(std::move(user_data)) {}

  llmroute::NodeIndex pick(std::span<const NodeView> nodes, const llmroute::PickRequest& request,
                           llmroute::PickContext& context) override {
    const llmroute_pick pick{nodes, request, &context.rng};
    const std::uint32_t chosen = [&] {
      const capi::InChoice inside;
      return functions_.pick(user_data_.get(), &pick);
    }();
    const auto count = static_cast<std::uint32_t>(nodes.size());
    return llmroute::NodeIndex{chosen < count ? chosen : context.rng.below(count)};
  }

  std::optional<double> score(const NodeView& node, const llmroute::PickRequest& request,
                              llmroute::Time) const override {
    if (functions_.score == nullptr) return std::nullopt;
    const llmroute_pick pick{{&node, 1}, request, nullptr};
    const capi::InCallback inside;
    const double score = functions_.score(user_data_.get(), &pick);
    return std::isfinite(score) ? std::optional(score) : std::nullopt;
  }

 private:
  const llmroute_strategy functions_;
  const capi::UserData user_data_;
};

/// The node at a position, or null.
const NodeView* node(const llmroute_pick* pick, std::uint32_t index) noexcept {
  return pick == nullptr || index >= pick->nodes.size() ? nullptr : &pick->nodes[index];
}

/// `read(node)`, or zero where there is none.
template <class F>
auto of_node(const llmroute_pick* pick, std::uint32_t index, F&& read) noexcept
    -> decltype(read(*node(pick, index))) {
  const NodeView* at = node(pick, index);
  return at == nullptr ? decltype(read(*at)){} : read(*at);
}

}  // namespace

extern "C" {

llmroute_status llmroute_router_use_strategy(llmroute_router* router,
                                             const llmroute_strategy* strategy,
                                             llmroute_error** error_out) {
  return capi::guarded(error_out, [&]() -> Result<void> {
    const Result<llmroute_strategy> given = capi::struct_in(strategy, "strategy");
    if (!given) return given.error();
    capi::UserData user_data(given->user_data, given->free_user_data);
    if (given->pick == nullptr) return capi::not_usable("strategy.pick");
    const capi::Use used(router);
    if (!used) return capi::not_usable("router");
    std::shared_ptr<llmroute::Strategy> own =
        std::make_shared<OwnStrategy>(*given, std::move(user_data));
    const bool taken = used->unless_settled([&] {
      used->router->use(own);
      used->strategy.swap(own);  // the one before is freed here, without the lock
    });
    if (!taken) return capi::misuse("router", "is in use already");
    return {};
  });
}

uint32_t llmroute_pick_count(const llmroute_pick* pick) {
  return pick == nullptr ? 0 : static_cast<uint32_t>(pick->nodes.size());
}

const char* llmroute_pick_node(const llmroute_pick* pick, uint32_t index, size_t* len) {
  const NodeView* at = node(pick, index);
  return capi::text_out(at == nullptr ? std::string_view{} : at->name(), len);
}

const char* llmroute_pick_label(const llmroute_pick* pick, uint32_t index, const char* label,
                                size_t label_len, size_t* len) {
  if (len != nullptr) *len = 0;
  const NodeView* at = node(pick, index);
  if (at == nullptr || label == nullptr) return nullptr;
  const std::string_view wanted(label, label_len);
  for (const auto& [name, value] : at->config().labels) {
    if (name == wanted) return capi::text_out(value, len);
  }
  return nullptr;
}

double llmroute_pick_weight(const llmroute_pick* pick, uint32_t index) {
  return of_node(pick, index, [](const NodeView& at) { return at.weight(); });
}

double llmroute_pick_capacity(const llmroute_pick* pick, uint32_t index) {
  return of_node(pick, index, [](const NodeView& at) { return at.capacity(); });
}

int32_t llmroute_pick_priority(const llmroute_pick* pick, uint32_t index) {
  return of_node(pick, index, [](const NodeView& at) { return at.priority(); });
}

int32_t llmroute_pick_in_flight(const llmroute_pick* pick, uint32_t index) {
  return of_node(pick, index, [](const NodeView& at) { return at.in_flight(); });
}

uint64_t llmroute_pick_requests(const llmroute_pick* pick, uint32_t index) {
  return of_node(pick, index, [](const NodeView& at) { return at.stats().requests.load(); });
}

uint64_t llmroute_pick_failures(const llmroute_pick* pick, uint32_t index) {
  return of_node(pick, index, [](const NodeView& at) { return at.stats().failures.load(); });
}

double llmroute_pick_latency_seconds(const llmroute_pick* pick, uint32_t index) {
  return of_node(pick, index,
                 [](const NodeView& at) { return at.stats().latency_seconds.value(); });
}

double llmroute_pick_first_content_seconds(const llmroute_pick* pick, uint32_t index) {
  return of_node(pick, index,
                 [](const NodeView& at) { return at.stats().first_content_seconds.value(); });
}

const char* llmroute_pick_model(const llmroute_pick* pick, size_t* len) {
  return capi::text_out(pick == nullptr ? std::string_view{} : pick->request.model, len);
}

const char* llmroute_pick_session_key(const llmroute_pick* pick, size_t* len) {
  return capi::text_out(pick == nullptr ? std::string_view{} : pick->request.session_key, len);
}

uint32_t llmroute_pick_prompt_tokens(const llmroute_pick* pick) {
  return pick == nullptr ? 0 : pick->request.prompt_tokens;
}

uint32_t llmroute_pick_output_tokens(const llmroute_pick* pick) {
  return pick == nullptr ? 0 : pick->request.output_tokens;
}

int32_t llmroute_pick_is_stream(const llmroute_pick* pick) {
  return pick != nullptr && pick->request.stream ? 1 : 0;
}

uint64_t llmroute_pick_random(const llmroute_pick* pick) {
  return pick == nullptr || pick->rng == nullptr ? 0 : (*pick->rng)();
}

}  // extern "C"
