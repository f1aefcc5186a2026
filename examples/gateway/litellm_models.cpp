/// Names, shares and sums.
#include "litellm_models.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "rename.hpp"

namespace gateway {
namespace {

using llmroute::Result;

std::optional<double> number(const Setting* setting) {
  if (setting == nullptr) return std::nullopt;
  if (const auto* whole = std::get_if<std::int64_t>(&setting->value)) {
    return static_cast<double>(*whole);
  }
  const auto* broken = std::get_if<double>(&setting->value);
  return broken != nullptr ? std::optional(*broken) : std::nullopt;
}

/// Nodes need names of their own: model_info.id, else the model's name, with a number behind it
/// from the second on.
void name_nodes(std::vector<Group>& groups) {
  std::set<std::string> taken;
  for (const Group& group : groups) {
    for (const Deployment& one : group.members) taken.insert(one.name);
  }
  for (Group& group : groups) {
    for (Deployment& one : group.members) {
      for (int i = 1; one.name.empty(); ++i) {
        const std::string name = i == 1 ? group.name : fmt::format("{}-{}", group.name, i);
        if (taken.insert(name).second) one.name = name;
      }
      one.node.set("name", {.value = one.name, .place = one.place});
    }
  }
}

/// What traffic is shared by: the first of these that any deployment of the name has.
std::string_view measure_of(const Group& group) {
  for (const std::string_view measure : {"weight", "rpm", "tpm"}) {
    for (const Deployment& one : group.members) {
      if (one.share.find(measure) != nullptr) return measure;
    }
  }
  return {};
}

/// One that has none counts like the smallest.
Result<void> weigh(Group& group) {
  const std::string_view measure = measure_of(group);
  if (measure.empty()) return {};
  std::optional<double> least;
  for (const Deployment& one : group.members) {
    const Setting* given = one.share.find(measure);
    if (given == nullptr) continue;
    const auto value = number(given);
    if (!value || *value < 0) return refused(*given, "", "takes a number, 0 or more");
    least = std::min(least.value_or(*value), *value);
  }
  for (Deployment& one : group.members) {
    const Setting* given = one.share.find(measure);
    one.node.set("weight",
                 given != nullptr ? *given : Setting{.value = *least, .place = one.place});
  }
  return {};
}

/// What all deployments of the name together may take, if each says how much; 0: not said.
std::int64_t sum_of(const Group& group, std::string_view measure) {
  double sum = 0;
  for (const Deployment& one : group.members) {
    const auto value = number(one.share.find(measure));
    if (!value || *value <= 0) return 0;
    sum += *value;
  }
  return std::llround(sum);
}

void add_limits(const Group& group, Setting::Array& limits) {
  const std::int64_t rpm = sum_of(group, "rpm");
  const std::int64_t tpm = sum_of(group, "tpm");
  if (rpm == 0 && tpm == 0) return;
  Setting limit{.place = group.members.front().place};
  limit.set("model", {.value = group.name, .place = limit.place});
  if (rpm > 0) limit.set("rpm", {.value = rpm, .place = limit.place});
  if (tpm > 0) limit.set("tpm", {.value = tpm, .place = limit.place});
  limits.push_back(std::move(limit));
}

Setting model_of(const Group& group) {
  Setting model{.place = group.members.front().place};
  Setting::Array nodes;
  for (const Deployment& one : group.members) {
    nodes.push_back({.value = one.name, .place = one.place});
    for (const Setting::Member& param : one.params.table()) {  // of several the first counts
      const std::string key = "default_params." + param.name;
      if (model.find(key) == nullptr) model.set(key, param.setting);
    }
  }
  model.set("name", {.value = group.name, .place = model.place});
  model.set("model_id", {.value = group.members.front().model_id, .place = model.place});
  model.set("nodes", {.value = std::move(nodes), .place = model.place});
  return model;
}

}  // namespace

Result<std::vector<Group>> read_groups(const Setting& list) {
  std::vector<Group> groups;
  const auto* entries = std::get_if<Setting::Array>(&list.value);
  if (entries == nullptr) return refused(list, "model_list", "is a list");
  for (std::size_t i = 0; i < entries->size(); ++i) {
    auto read = read_deployment((*entries)[i], fmt::format("model_list[{}]", i));
    if (!read) return std::move(read.error());
    const auto same = [&](const Group& group) { return group.name == read->model_name; };
    auto group = std::find_if(groups.begin(), groups.end(), same);
    if (group == groups.end()) {
      group = groups.insert(groups.end(), Group{.name = read->model_name});
    }
    if (!group->members.empty() && group->members.front().model_id != read->model_id) {
      return refused(read->node, "",
                     fmt::format("asks for \"{}\", and the deployment of \"{}\" at {} for \"{}\": "
                                 "those of one model_name need one model; name them apart and join "
                                 "them by fallbacks",
                                 read->model_id, group->name, group->members.front().place,
                                 group->members.front().model_id));
    }
    group->members.push_back(std::move(*read));
  }
  name_nodes(groups);
  return groups;
}

Result<void> put_groups(std::vector<Group> groups, Setting& ours) {
  Setting::Array nodes;
  Setting::Array models;
  Setting::Array limits;
  for (Group& group : groups) {
    if (auto weighed = weigh(group); !weighed) return weighed;
    models.push_back(model_of(group));
    add_limits(group, limits);
    for (Deployment& one : group.members) nodes.push_back(std::move(one.node));
  }
  ours.set("nodes", {.value = std::move(nodes), .place = ours.place});
  ours.set("models", {.value = std::move(models), .place = ours.place});
  if (limits.empty() || ours.find("limits.per_tenant_model") != nullptr) return {};
  ours.set("limits.per_tenant_model", {.value = std::move(limits), .place = ours.place});
  return {};
}

}  // namespace gateway
