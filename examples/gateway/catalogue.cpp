/// Tries a change, and keeps it when the router does.
#include "catalogue.hpp"

#include <utility>

namespace gateway {
namespace {

using llmroute::Config;
using llmroute::Error;
using llmroute::ErrorCode;
using llmroute::Result;

/// "key \"models[3].transforms\": what" names a place that only the merged configuration has.
Error of_the_model(const Error& error) {
  const std::string_view key = error.param;
  const bool of_model = key.starts_with("models[");
  const std::size_t dot = key.find("].");
  const std::size_t what = error.message.find("\": ");
  Error better{.code = ErrorCode::invalid_argument, .message = error.message};
  if (!of_model || dot == key.npos || what == std::string::npos) return better;
  better.param = key.substr(dot + 2);
  better.message = "\"" + better.param + error.message.substr(what);
  return better;
}

}  // namespace

Catalogue::Catalogue(Registry registry, std::vector<ModelRecord> stored, Run run)
    : stored_(std::move(stored)),
      registry_(std::make_shared<const Registry>(std::move(registry))),
      run_(std::move(run)) {}

Result<std::vector<std::string>> Catalogue::replace_file(Config file, std::string source) {
  auto registry = std::make_shared<const Registry>(std::move(file), std::move(source));
  const std::lock_guard changing(change_mutex_);
  auto done = run_(registry->with(stored_));
  const std::lock_guard lock(mutex_);
  if (done) registry_ = std::move(registry);
  return done;
}

Result<std::vector<std::string>> Catalogue::replace_stored(std::vector<ModelRecord> stored) {
  const std::lock_guard changing(change_mutex_);
  auto done = run_(registry_->with(stored));
  if (done) stored_ = std::move(stored);
  return done;
}

Result<void> Catalogue::check(std::span<const ModelRecord> stored) const {
  Config trial = registry()->with(stored);
  if (auto good = trial.prepare(); !good) return of_the_model(good.error());
  return {};
}

std::shared_ptr<const Registry> Catalogue::registry() const {
  const std::lock_guard lock(mutex_);
  return registry_;
}

}  // namespace gateway
