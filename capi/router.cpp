#include "router.hpp"

#include "boundary.hpp"
#include "json.hpp"
#include "reply.hpp"
#include "request.hpp"

namespace capi = llmroute::capi;

using capi::Use;
using llmroute::Result;
using llmroute::Router;

namespace {

/// `change(router, node)` with a node from its JSON.
template <class Change>
llmroute_status with_node(llmroute_router* handle, const char* json, std::size_t len,
                          llmroute_error** error_out, Change&& change) noexcept {
  return capi::guarded(error_out, [&]() -> Result<void> {
    const Use router(handle);
    if (!router) return capi::not_usable("router");
    const Result<std::string_view> text = capi::text_in(json, len, "node_json");
    if (!text) return text.error();
    Result<llmroute::NodeConfig> node = llmroute::node_from_json(*text);
    if (!node) return std::move(node).error();
    return change(*router->router, std::move(*node));
  });
}

/// `change(router, name)`
template <class Change>
llmroute_status with_name(llmroute_router* handle, const char* name, std::size_t len,
                          llmroute_error** error_out, Change&& change) noexcept {
  return capi::guarded(error_out, [&]() -> Result<void> {
    const Use router(handle);
    if (!router) return capi::not_usable("router");
    const Result<std::string_view> text = capi::text_in(name, len, "name");
    if (!text) return text.error();
    return change(*router->router, *text);
  });
}

/// A configuration from its JSON.
Result<llmroute::Config> config_in(const char* json, std::size_t len) {
  if (json == nullptr) return capi::not_usable("config_json");
  const Result<std::string_view> text = capi::text_in(json, len, "config_json");
  if (!text) return text.error();
  return llmroute::Config::from_json(*text);
}

}  // namespace

extern "C" {

llmroute_status llmroute_router_new(const char* config_json, size_t config_len,
                                    llmroute_router** router_out, llmroute_error** error_out) {
  if (router_out != nullptr) *router_out = nullptr;
  return capi::guarded(error_out, [&]() -> Result<void> {
    if (router_out == nullptr) return capi::not_usable("router_out");
    Result<llmroute::Config> config = config_in(config_json, config_len);
    if (!config) return std::move(config).error();
    Result<Router> made = Router::create(std::move(*config));
    if (!made) return std::move(made).error();
    *router_out = new llmroute_router(std::move(*made));
    return {};
  });
}

void llmroute_router_free(llmroute_router* router) { capi::free_handle(router); }

llmroute_status llmroute_router_add_node(llmroute_router* router, const char* node_json,
                                         size_t node_len, llmroute_error** error_out) {
  return with_node(
      router, node_json, node_len, error_out,
      [](Router& to, llmroute::NodeConfig node) { return to.add_node(std::move(node)); });
}

llmroute_status llmroute_router_update_node(llmroute_router* router, const char* node_json,
                                            size_t node_len, llmroute_error** error_out) {
  return with_node(
      router, node_json, node_len, error_out,
      [](Router& of, llmroute::NodeConfig node) { return of.update_node(std::move(node)); });
}

llmroute_status llmroute_router_remove_node(llmroute_router* router, const char* name,
                                            size_t name_len, llmroute_error** error_out) {
  return with_name(router, name, name_len, error_out,
                   [](Router& from, std::string_view node) { return from.remove_node(node); });
}

llmroute_status llmroute_router_drain_node(llmroute_router* router, const char* name,
                                           size_t name_len, int32_t drain,
                                           llmroute_error** error_out) {
  return with_name(router, name, name_len, error_out, [&](Router& of, std::string_view node) {
    return of.drain_node(node, drain != 0);
  });
}

llmroute_status llmroute_router_reload(llmroute_router* router, const char* config_json,
                                       size_t config_len, char** json_out, size_t* len_out,
                                       llmroute_error** error_out) {
  char* kept = nullptr;  // what is not asked for goes here
  const llmroute_status status = capi::give_json(
      json_out != nullptr ? json_out : &kept, len_out, error_out, [&]() -> Result<std::string> {
        const Use used(router);
        if (!used) return capi::not_usable("router");
        Result<llmroute::Config> config = config_in(config_json, config_len);
        if (!config) return std::move(config).error();
        const Result<std::vector<std::string>> names = used->router->reload(std::move(*config));
        if (!names) return names.error();
        return capi::names_json(*names);
      });
  llmroute_text_free(kept);
  return status;
}

llmroute_status llmroute_router_snapshot(llmroute_router* router, char** json_out, size_t* len_out,
                                         llmroute_error** error_out) {
  return capi::give_json(json_out, len_out, error_out, [&]() -> Result<std::string> {
    const Use used(router);
    if (!used) return capi::not_usable("router");
    return capi::snapshot_json(used->router->snapshot());
  });
}

llmroute_status llmroute_router_explain(llmroute_router* router, const char* request_json,
                                        size_t request_len, const llmroute_call_options* options,
                                        char** json_out, size_t* len_out,
                                        llmroute_error** error_out) {
  return capi::give_json(json_out, len_out, error_out, [&]() -> Result<std::string> {
    const Use used(router);
    if (!used) return capi::not_usable("router");
    const Result<llmroute::Request> request = capi::request_in(request_json, request_len, options);
    if (!request) return request.error();
    used->settle();
    const Result<llmroute::Explanation> explanation = used->router->explain(*request);
    if (!explanation) return explanation.error();
    return capi::explanation_json(*explanation);
  });
}

llmroute_status llmroute_router_maintain(llmroute_router* router, llmroute_loop* loop,
                                         llmroute_error** error_out) {
  return capi::guarded(error_out, [&]() -> Result<void> {
    const Use used(router);
    if (!used) return capi::not_usable("router");
    const Use on(loop);
    if (!on) return capi::not_usable("loop");
    if (on->own->forked())
      return capi::refusal(llmroute::ErrorCode::forked, "loop", capi::of_parent);
    if (!used->settle()) return capi::misuse("router", "is in use already");
    used->maintained_on = on->own;
    used->router->maintain(on->own->loop);
    return {};
  });
}

llmroute_status llmroute_route(llmroute_router* router, const char* request_json,
                               size_t request_len, const llmroute_call_options* options,
                               llmroute_reply** reply_out, llmroute_error** error_out) {
  if (reply_out != nullptr) *reply_out = nullptr;
  return capi::guarded(error_out, [&]() -> Result<void> {
    const Use used(router);
    if (!used) return capi::not_usable("router");
    if (reply_out == nullptr) return capi::not_usable("reply_out");
    const Result<llmroute::Request> request = capi::request_in(request_json, request_len, options);
    if (!request) return request.error();
    used->settle();
    Result<llmroute::Reply> reply = used->router->route(*request);
    if (!reply) return std::move(reply).error();
    *reply_out = new llmroute_reply(std::move(*reply));
    return {};
  });
}

}  // extern "C"
