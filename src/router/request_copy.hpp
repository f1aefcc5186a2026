/// A request whose views point into storage of its own: what calls that outlive their caller's
/// arguments keep.
#pragma once

#include <llmroute/router.hpp>
#include <string>

namespace llmroute::detail {

class RequestCopy {
 public:
  explicit RequestCopy(const Request& request)
      : path_(request.path),
        body_(request.body),
        tenant_(request.options.tenant),
        session_key_(request.options.session_key),
        request_id_(request.options.request_id),
        model_(request.options.model),
        request_(request) {
    request_.path = path_;
    request_.body = body_;
    request_.options.tenant = tenant_;
    request_.options.session_key = session_key_;
    request_.options.request_id = request_id_;
    request_.options.model = model_;
  }
  RequestCopy(const RequestCopy&) = delete;  // the views would point into the other one
  RequestCopy& operator=(const RequestCopy&) = delete;

  const Request& get() const noexcept { return request_; }

 private:
  std::string path_;
  std::string body_;
  std::string tenant_;
  std::string session_key_;
  std::string request_id_;
  std::string model_;
  Request request_;
};

}  // namespace llmroute::detail
