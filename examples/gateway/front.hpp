/// What every request meets first: the route table, authentication, and the gateway's own
/// documents.
#pragma once

#include <cstdint>
#include <http/handler.hpp>
#include <llmroute/router.hpp>
#include <string>

#include "request_log.hpp"
#include "route_table.hpp"

namespace gateway {

class Worker;

/// Where a request came in. Where the admin API has a door of its own, it is behind that alone, and
/// nothing else is.
enum class Door : int { usual, admin };

class Front final : public http::Handler {
 public:
  explicit Front(Worker& worker) noexcept : worker_(worker) {}

  std::optional<http::Response> on_head(http::Request& request) override;
  void on_request(http::Request request, http::Responder responder) override;
  http::Response refuse(const http::Fault& fault, const http::Request& request) override;

 private:
  std::string request_id(const http::Request& request);
  bool is_here(Access access, const http::Request& request) const;
  bool admitted(http::Request& request) const;
  http::Response refuse_path(const Match& match, const http::Request& request);
  http::Response refuse_admin(const http::Request& request);
  http::Response refuse_caller(const Route& route, const http::Request& request);
  http::Response refuse_draining(const http::Request& request);
  void log(const http::Request& request, std::string_view request_id, int status,
           bool asked_all_the_time = false) const;
  http::Response document_of(const Route& route, http::Request& request,
                             std::string_view request_id);
  http::Response models_of(const Route& route, const http::Request& request,
                           llmroute::Snapshot snapshot, std::string_view request_id) const;

  Worker& worker_;
  LineBudget refused_admins_{};
};

}  // namespace gateway
