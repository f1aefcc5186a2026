/// The deployments of a model_list by the names that callers ask for: nodes, models, and what they
/// may take in a minute.
#pragma once

#include <llmroute/result.hpp>
#include <string>
#include <vector>

#include "litellm_deployment.hpp"
#include "setting.hpp"

namespace gateway {

/// The deployments of one name, in order.
struct Group {
  std::string name;
  std::vector<Deployment> members{};
};

/// Reads the list. Deployments of one name that ask for different models are an error.
llmroute::Result<std::vector<Group>> read_groups(const Setting& model_list);

/// Puts `nodes`, `models` and `limits.per_tenant_model` of the groups into our tree.
llmroute::Result<void> put_groups(std::vector<Group> groups, Setting& ours);

}  // namespace gateway
