/// The C interface in front of scripted nodes: owners for its objects, so that a failed test leaks
/// nothing.
#pragma once

#include <poll.h>

#include <catch2/catch.hpp>
#include <functional>
#include <llmroute/wire/json_text.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "llmroute.h"
#include "support/scripted_upstream.hpp"

namespace llmroute::test {

inline constexpr std::string_view hello =
    R"({"model":"m","messages":[{"role":"user","content":"hi"}]})";

/// An object of the interface that is freed with its scope. `&` gives the place to write it to.
template <class T, void (*Free)(T*)>
class Owned {
 public:
  Owned() = default;
  Owned(Owned&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Owned& operator=(Owned&& other) noexcept {
    reset(std::exchange(other.object_, nullptr));
    return *this;
  }
  ~Owned() { Free(object_); }

  T** operator&() noexcept {  // NOLINT
    reset();
    return &object_;
  }
  operator T*() const noexcept { return object_; }
  void reset(T* object = nullptr) noexcept { Free(std::exchange(object_, object)); }

 private:
  T* object_ = nullptr;
};

using OwnedRouter = Owned<llmroute_router, llmroute_router_free>;
using OwnedReply = Owned<llmroute_reply, llmroute_reply_free>;
using OwnedError = Owned<llmroute_error, llmroute_error_free>;
using OwnedStream = Owned<llmroute_stream, llmroute_stream_free>;
using OwnedCall = Owned<llmroute_call, llmroute_call_free>;
using OwnedLoop = Owned<llmroute_loop, llmroute_loop_free>;
using OwnedText = Owned<char, llmroute_text_free>;

/// The text an accessor gives. It has to end with a NUL.
template <class T>
std::string text(const char* (*accessor)(const T*, size_t*), const T* object) {
  size_t len = 99;
  const char* begin = accessor(object, &len);
  REQUIRE(begin != nullptr);
  CHECK(begin[len] == '\0');
  return {begin, len};
}

/// Nodes n1, n2, ... that are asked in this order, with short waits. `more` goes into "router".
inline std::string config_for(const std::vector<std::string>& urls, const std::string& more = "") {
  std::string nodes;
  for (std::size_t i = 0; i < urls.size(); ++i) {
    const std::string number = std::to_string(i + 1);
    nodes += (i == 0 ? "" : ",") + std::string(R"({"name":"n)") + number + R"(","url":")" +
             urls[i] + R"(","models":["m"],"priority":)" + number + R"(,"labels":{"place":"p)" +
             number + "\"}}";
  }
  return R"({"router":{"strategy":"priority","backoff":"1ms","seed":7)" + more + R"(},"nodes":[)" +
         nodes + "]}";
}

inline OwnedRouter router_of(const std::string& config) {
  OwnedRouter router;
  OwnedError error;
  const llmroute_status status = llmroute_router_new(config.data(), config.size(), &router, &error);
  INFO(llmroute_error_message(error, nullptr));
  REQUIRE(status == LLMROUTE_OK);
  return router;
}

template <class... Nodes>
OwnedRouter router_for(const Nodes&... nodes) {
  return router_of(config_for({nodes.url()...}));
}

inline llmroute_status route(llmroute_router* router, OwnedReply& reply, OwnedError& error,
                             const llmroute_call_options* options = nullptr,
                             std::string_view body = hello) {
  return llmroute_route(router, body.data(), body.size(), options, &reply, &error);
}

/// The name of the node that answers a plain call; of the error when there is none.
inline std::string node_asked(llmroute_router* router) {
  OwnedReply reply;
  OwnedError error;
  if (route(router, reply, error) != LLMROUTE_OK) return llmroute_error_name(error);
  return text(llmroute_reply_node, static_cast<const llmroute_reply*>(reply));
}

inline OwnedLoop new_loop() {
  OwnedLoop loop;
  REQUIRE(llmroute_loop_new(&loop, nullptr) == LLMROUTE_OK);
  return loop;
}

/// Turns the loop by its descriptor until `reached()`.
template <class F>
void turn_until(llmroute_loop* loop, F&& reached) {
  pollfd ready{llmroute_loop_fd(loop), POLLIN, 0};
  while (!reached()) {
    REQUIRE(::poll(&ready, 1, 20'000) == 1);
    REQUIRE(llmroute_loop_run_ready(loop) == LLMROUTE_OK);
  }
}

/// A struct of the interface, empty but for its size.
template <class T>
T sized() {
  T out{};
  out.struct_size = sizeof out;
  return out;
}

/// What a call with callbacks brings; its functions are `callbacks()`. Nothing is checked on their
/// thread, as Catch2 has one.
struct Heard {
  std::string node{};
  std::string text{};
  int events = 0;
  int done = 0;
  llmroute_status status = -1;
  std::string partial{};
  std::string answered_by{};
  std::string request_id{};  // of the error
  std::function<int32_t()> at_event{};
  std::function<void()> at_done{};

  llmroute_callbacks callbacks(bool stream = true) {
    auto functions = sized<llmroute_callbacks>();
    functions.user_data = this;
    functions.on_done = [](void* self, llmroute_status how, llmroute_reply* reply,
                           llmroute_error* error) {
      static_cast<Heard*>(self)->on_done(how, reply, error);
    };
    if (!stream) return functions;
    functions.on_head = [](void* self, const llmroute_head* head) {
      static_cast<Heard*>(self)->node = llmroute_head_node(head, nullptr);
      return 0;
    };
    functions.on_event = [](void* self, const llmroute_event* event) {
      return static_cast<Heard*>(self)->on_event(*event);
    };
    return functions;
  }

 private:
  int32_t on_event(const llmroute_event& event) {
    ++events;
    OwnedText piece;
    if (llmroute_chunk_text(event.data, event.data_len, &piece, nullptr) == LLMROUTE_OK) {
      text += piece;
    }
    return at_event ? at_event() : 0;
  }

  void on_done(llmroute_status how, llmroute_reply* reply, llmroute_error* error) {
    ++done;
    status =
        (reply == nullptr) != (error == nullptr) && llmroute_error_code(error) == how ? how : -2;
    partial = llmroute_error_partial(error, nullptr);
    answered_by = llmroute_reply_node(reply, nullptr);
    request_id = llmroute_error_request_id(error, nullptr);
    llmroute_reply_free(reply);
    llmroute_error_free(error);
    if (at_done) at_done();
  }
};

inline llmroute_status start(llmroute_router* router, Heard& heard, OwnedCall& call,
                             bool stream = true) {
  const llmroute_callbacks callbacks = heard.callbacks(stream);
  return llmroute_call_start(router, hello.data(), hello.size(), nullptr, &callbacks, &call,
                             nullptr);
}

inline llmroute_status start_on(llmroute_loop* loop, llmroute_router* router, Heard& heard,
                                OwnedCall& call, bool stream = true) {
  const llmroute_callbacks callbacks = heard.callbacks(stream);
  return llmroute_call_start_on(router, loop, hello.data(), hello.size(), nullptr, &callbacks,
                                &call, nullptr);
}

}  // namespace llmroute::test
