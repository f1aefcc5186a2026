/// What every request meets first: the route table, authentication, and the gateway's own
/// documents.
#pragma once

#include <http/handler.hpp>
#include <string>

#include "route_table.hpp"

namespace gateway {

class Worker;

class Front final : public http::Handler {
 public:
  explicit Front(Worker& worker) noexcept : worker_(worker) {}

  std::optional<http::Response> on_head(const http::Request& request) override;
  void on_request(http::Request request, http::Responder responder) override;
  http::Response error(int status, std::string_view message) override;

 private:
  std::string request_id(const http::Request& request);
  bool admitted(const http::Request& request) const;
  http::Response refuse(int status, std::string_view message, std::string_view type,
                        std::string_view code, std::string_view request_id) const;
  http::Response document_of(const Route& route, const http::Request& request,
                             std::string_view request_id);

  Worker& worker_;
};

}  // namespace gateway
