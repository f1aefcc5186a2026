/// The admin API without its HTTP: requests in, answers out.
#pragma once

#include <future>
#include <string>

#include "gateway/admin/administration.hpp"
#include "gateway/json_value.hpp"
#include "gateway/temporary_directory.hpp"

namespace gateway_test {

class Admin {
 public:
  explicit Admin(llmroute::Config file = {}, llmroute::Duration refresh = {})
      : catalogue_(gateway::Registry(std::move(file), "llmroute.toml"), {},
                   [this](llmroute::Config config) -> llmroute::Result<std::vector<std::string>> {
                     running = std::move(config);
                     return std::vector<std::string>{};
                   }) {
    auto opened = gateway::open_for_server("sqlite:test.db");
    if (!opened) throw std::runtime_error(opened.error().message);
    administration_.emplace(std::move(*opened), refresh, catalogue_, ring, log_);
  }

  gateway::AdminAnswer ask(gateway::Endpoint endpoint, std::vector<std::string> ids = {},
                           std::string body = {}) {
    std::promise<gateway::AdminAnswer> promise;
    administration_->answer(
        {endpoint, std::move(ids), std::move(body), "tester"},
        [&](gateway::AdminAnswer answer) { promise.set_value(std::move(answer)); });
    return promise.get_future().get();
  }

  /// The value of a text member of the answer.
  static std::string text(const gateway::AdminAnswer& answer, std::string_view name) {
    const auto members = gateway::read_object(answer.body);
    for (const auto& member : *members) {
      if (member.name == name) return member.value.text().value_or(member.value.raw());
    }
    return {};
  }

  static std::string error_param(const gateway::AdminAnswer& answer) {
    return text({.body = text(answer, "error")}, "param");
  }

  gateway::KeyRing ring{};
  llmroute::Config running{};  ///< what the router was told last; read between two asks

 private:
  gateway::Log log_{gateway::LogLevel::off};
  gateway::Catalogue catalogue_;
  std::optional<gateway::Administration> administration_{};
};

}  // namespace gateway_test
