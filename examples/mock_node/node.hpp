/// The mock node's paths: what vLLM serves, and /control to make it misbehave.
#pragma once

#include <boost/asio/io_context.hpp>
#include <optional>
#include <string>
#include <vector>

#include "fault.hpp"
#include "generation.hpp"
#include "http/handler.hpp"
#include "pace.hpp"

namespace mock {

struct NodeOptions {
  std::vector<std::string> models{"mock"};
  std::string name = "mock";
  std::string api_key{};
  PaceOptions pace{};
  Fault fault{};
  bool faulty = false;
  int embedding_dimension = 8;
  std::uint64_t seed = 1;
};

class Node final : public http::Handler {
 public:
  Node(boost::asio::io_context& context, NodeOptions options);

  std::optional<http::Response> on_head(const http::Request& request) override;
  void on_request(http::Request request, http::Responder responder) override;
  http::Response error(int status, std::string_view message) override;

 private:
  void generate(Kind kind, http::Request request, http::Responder responder);
  http::Response control(const http::Request& request);
  http::Response about(std::string_view path) const;
  std::string models() const;
  std::string metrics() const;
  bool serves(std::string_view model) const;

  boost::asio::io_context& context_;
  NodeOptions options_;
  Pace pace_;
  FaultPlan plan_{};
  Counters counters_{};
};

}  // namespace mock
