/// The mock node's paths: what vLLM serves, and /control to make it misbehave.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
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
  FaultPlan faults{};
  int answer_tokens = 0;
  std::string reasoning_field = "reasoning_content";
  int embedding_dimension = 8;
  std::uint64_t seed = 1;
};

class Node final : public http::Handler {
 public:
  Node(boost::asio::io_context& context, NodeOptions options);

  std::optional<http::Response> on_head(http::Request& request) override;
  void on_request(http::Request request, http::Responder responder) override;
  http::Response refuse(const http::Fault& fault, const http::Request& request) override;

 private:
  void generate(Kind kind, http::Request request, http::Responder responder);
  llmroute::Result<const Fault*> fault_for(const Question& question);
  http::Response control(const http::Request& request);
  http::Response about(std::string_view path) const;
  std::string models() const;
  std::string metrics() const;
  bool serves(std::string_view model) const;

  boost::asio::io_context& context_;
  NodeOptions options_;
  Pace pace_;
  FaultPlan plan_;
  std::map<std::string, FaultPlan, std::less<>> plans_of_models_{};
  Habits habits_;
  std::string last_ = "{}";  // the last request, for /control/last
  Counters counters_{};
};

}  // namespace mock
