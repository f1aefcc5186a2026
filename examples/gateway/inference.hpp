/// One routed request, from the caller's body to the last byte of the answer.
#pragma once

#include <http/handler.hpp>
#include <llmroute/router.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "asked.hpp"
#include "identity.hpp"
#include "late_heads.hpp"

namespace gateway {

class Worker;

/// Keeps itself alive until the router's on_done, which always comes: a caller that leaves only
/// cancels the call. Lives on its worker's thread.
class Inference final : private http::Exchange, private LateHead {
 public:
  /// Checks the body and sends the request on its way, or refuses it.
  static void start(Worker& worker, const http::Request& request, http::Responder responder,
                    std::string request_id);

 private:
  Inference(Worker& worker, http::Responder responder, std::string request_id,
            std::shared_ptr<const Identity> identity, llmroute::Time started);
  ~Inference() override;

  static void refuse(Worker& worker, const llmroute::Error& error, const http::Request& request,
                     http::Responder responder, std::string_view request_id);
  static void refuse_model(Worker& worker, std::string_view why, const http::Request& request,
                           http::Responder responder, std::string_view request_id);
  std::string_view key_prefix() const {
    return identity_ ? identity_->key_prefix : std::string_view();
  }
  void route_or_end(const http::Request& request, const Asked& asked) noexcept;
  void route(const http::Request& request, const Asked& asked);

  // From the router.
  void on_head(const llmroute::StreamHead& head);
  llmroute::Taken on_event(const llmroute::Event& event);
  void on_done(llmroute::Result<llmroute::Reply>& result) noexcept;

  // From the caller's connection, and the clock.
  void on_writable() override;
  void on_gone() override;
  std::string_view padding() const override;
  void send_head() override;

  void finish(llmroute::Reply& reply);
  http::Response answer_for_caller(const llmroute::Error& error, llmroute::Duration overhead) const;
  void finish(const llmroute::Error& error);
  llmroute::Duration elapsed() const;

  Worker& worker_;
  http::Responder responder_;
  std::string request_id_;
  std::shared_ptr<const Identity> identity_;  ///< null: nobody in particular
  std::string model_{};                       ///< as asked
  std::string client_{};                      ///< its address
  bool stream_ = false;
  bool ends_with_done_ = false;
  llmroute::Time started_;
  llmroute::Call call_{};
  bool head_sent_ = false;
  std::optional<llmroute::Duration> first_event_{};  ///< which comes with the first content
  bool event_kept_ = false;  ///< the socket is full: the router waits for drained()
  bool gone_ = false;
};

}  // namespace gateway
