/// One request to the admin API on its way from its worker to the store's thread and back.
#pragma once

#include <http/handler.hpp>
#include <string>

#include "gateway/route_table.hpp"

namespace gateway {

class Worker;

class AdminCall {
 public:
  /// Answers in time; the worker does not end before.
  static void start(Worker& worker, const Route& route, http::Request request,
                    http::Responder responder, std::string request_id);
};

}  // namespace gateway
