/// The nodes and models of a pool at one time: what a pick looks things up in.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <llmroute/core/candidates.hpp>
#include <llmroute/core/node_config.hpp>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace llmroute {

/// Lets unordered maps of strings be asked with views.
struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept {
    return std::hash<std::string_view>{}(text);
  }
};

/// Immutable but for the lists in its slots, which take care of themselves. Thread safe.
class PoolSnapshot {
 public:
  struct Entry {
    std::shared_ptr<const Node> node;
    std::shared_ptr<const std::vector<std::string>>
        models;  ///< sorted, configured or else learnt; null: not known yet
    std::shared_ptr<const std::vector<std::string>> learnt;  ///< sorted; what the node itself lists
  };

  PoolSnapshot(std::uint64_t version, std::vector<Entry> entries, std::vector<ModelConfig> aliases,
               UnlistedModels unlisted, std::shared_ptr<const void> attachment = nullptr);

  std::uint64_t version() const noexcept { return version_; }
  const std::vector<Entry>& entries() const noexcept { return entries_; }
  const std::vector<ModelConfig>& aliases() const noexcept { return aliases_; }

  /// What NodePool::replace was given with these nodes and models; null without one.
  const std::shared_ptr<const void>& attachment() const noexcept { return attachment_; }

  const Entry* find(std::string_view name) const noexcept;
  const Entry* find(NodeId id) const noexcept;
  const ModelConfig* alias(std::string_view name) const noexcept;

  /// Where a model's candidates are; null for one that nobody can have.
  CandidateSlot* slot(std::string_view model) const noexcept;
  std::size_t slot_count() const noexcept { return slots_.size(); }

  /// The nodes of a model, with their state for it.
  std::vector<Member> members(const CandidateSlot& slot) const;

  bool serves(const Entry& entry, std::string_view model) const noexcept;
  bool knows_model(std::string_view model) const noexcept;

  /// Whether an id that nodes are asked for is configured or on some node's list, so that it has
  /// state of its own.
  bool heard_of(std::string_view model_id) const noexcept;
  std::vector<std::string> models() const;

  void reset_after_fork() const noexcept;

 private:
  struct Route {
    CandidateSlot* slot = nullptr;
    const ModelConfig* alias = nullptr;
  };

  static bool lists(const Entry& entry, std::string_view model_id) noexcept;
  static bool asked(const Entry& entry, const ModelConfig* alias,
                    const CandidateSlot& slot) noexcept;
  static std::string_view id_of(const ModelConfig& alias) noexcept {
    return alias.model_id.empty() ? alias.name : alias.model_id;
  }
  void add_slot(const std::string& name, std::string_view model_id, const ModelConfig* alias);
  void add_fallbacks();
  void add_listed();

  std::uint64_t version_;
  std::vector<Entry> entries_;
  std::vector<ModelConfig> aliases_;
  UnlistedModels unlisted_;
  std::shared_ptr<const void> attachment_;
  bool some_unknown_ = false;  // the models of some node
  std::unordered_map<std::string, std::size_t, StringHash, std::equal_to<>> by_name_;
  std::unordered_map<std::uint32_t, std::size_t> by_id_;
  std::vector<std::unique_ptr<CandidateSlot>> slots_;
  std::vector<const ModelConfig*> alias_of_slot_;
  std::unordered_map<std::string, Route, StringHash, std::equal_to<>> routes_;
  CandidateSlot* unheard_of_ =
      nullptr;  // shared by all models nobody has named; null when there can be none
};

inline PoolSnapshot::PoolSnapshot(std::uint64_t version, std::vector<Entry> entries,
                                  std::vector<ModelConfig> aliases, UnlistedModels unlisted,
                                  std::shared_ptr<const void> attachment)
    : version_(version),
      entries_(std::move(entries)),
      aliases_(std::move(aliases)),
      unlisted_(unlisted),
      attachment_(std::move(attachment)) {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    by_name_.emplace(entries_[i].node->name(), i);
    by_id_.emplace(static_cast<std::uint32_t>(entries_[i].node->id()), i);
    some_unknown_ = some_unknown_ || entries_[i].models == nullptr;
  }
  for (const ModelConfig& alias : aliases_) add_slot(alias.name, id_of(alias), &alias);
  add_fallbacks();
  if (unlisted_ == UnlistedModels::refuse) return;
  add_listed();
  add_slot("", "", nullptr);
  if (!some_unknown_) return;
  slots_.push_back(std::make_unique<CandidateSlot>("", slots_.size(), false));
  alias_of_slot_.push_back(nullptr);
  unheard_of_ = slots_.back().get();
}

inline void PoolSnapshot::add_slot(const std::string& name, std::string_view model_id,
                                   const ModelConfig* alias) {
  if (routes_.contains(name)) return;
  slots_.push_back(std::make_unique<CandidateSlot>(std::string(model_id), slots_.size(), true));
  alias_of_slot_.push_back(alias);
  routes_.emplace(name, Route{slots_.back().get(), alias});
}

/// A fallback may name a model that only nodes list, also where callers may not ask for such.
inline void PoolSnapshot::add_fallbacks() {
  for (const ModelConfig& alias : aliases_) {
    for (const auto* chain : {&alias.fallbacks, &alias.context_window_fallbacks}) {
      for (const std::string& name : *chain) add_slot(name, name, nullptr);
    }
  }
}

inline void PoolSnapshot::add_listed() {
  for (const Entry& entry : entries_) {
    if (entry.models == nullptr) continue;
    for (const std::string& id : *entry.models) add_slot(id, id, nullptr);
  }
}

inline const PoolSnapshot::Entry* PoolSnapshot::find(std::string_view name) const noexcept {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &entries_[found->second];
}

inline const PoolSnapshot::Entry* PoolSnapshot::find(NodeId id) const noexcept {
  const auto found = by_id_.find(static_cast<std::uint32_t>(id));
  return found == by_id_.end() ? nullptr : &entries_[found->second];
}

inline const ModelConfig* PoolSnapshot::alias(std::string_view name) const noexcept {
  const auto found = routes_.find(name);
  return found == routes_.end() ? nullptr : found->second.alias;
}

inline CandidateSlot* PoolSnapshot::slot(std::string_view model) const noexcept {
  const auto found = routes_.find(model);
  if (found == routes_.end()) return unheard_of_;
  const Route& route = found->second;
  return route.alias == nullptr || route.alias->active ? route.slot : nullptr;
}

inline bool PoolSnapshot::lists(const Entry& entry, std::string_view model_id) noexcept {
  return entry.models != nullptr &&
         std::binary_search(entry.models->begin(), entry.models->end(), model_id);
}

/// Whether a node is asked for a model: an alias's own list of nodes decides, else what the node
/// lists; as long as that is not known it is asked for everything. A request that names no model is
/// for any node.
inline bool PoolSnapshot::asked(const Entry& entry, const ModelConfig* alias,
                                const CandidateSlot& slot) noexcept {
  if (alias != nullptr && !alias->nodes.empty()) {
    const auto& nodes = alias->nodes;
    return std::find(nodes.begin(), nodes.end(), entry.node->name()) != nodes.end();
  }
  const bool names_no_model = slot.heard_of() && slot.model_id().empty();
  return entry.models == nullptr || names_no_model || lists(entry, slot.model_id());
}

inline std::vector<Member> PoolSnapshot::members(const CandidateSlot& slot) const {
  const ModelConfig* alias = alias_of_slot_[slot.ordinal()];
  std::vector<Member> members;
  for (const Entry& entry : entries_) {
    if (!asked(entry, alias, slot)) continue;
    double weight = entry.node->config().weight;
    if (alias != nullptr) {
      const auto own = alias->weights.find(entry.node->name());
      if (own != alias->weights.end()) weight = own->second;
    }
    NodeState& state = entry.node->state();
    const std::lock_guard guard(state.lock);
    members.push_back({entry.node, &state.pair(slot.model_id()), weight});
  }
  return members;
}

inline bool PoolSnapshot::serves(const Entry& entry, std::string_view model) const noexcept {
  const auto found = routes_.find(model);
  if (found == routes_.end()) return entry.models == nullptr;
  return asked(entry, found->second.alias, *found->second.slot);
}

inline bool PoolSnapshot::knows_model(std::string_view model) const noexcept {
  if (const ModelConfig* known = alias(model)) return known->active;
  if (unlisted_ == UnlistedModels::refuse) return false;
  return some_unknown_ || std::any_of(entries_.begin(), entries_.end(),
                                      [&](const Entry& entry) { return lists(entry, model); });
}

inline bool PoolSnapshot::heard_of(std::string_view model_id) const noexcept {
  return routes_.contains(model_id) ||
         std::any_of(aliases_.begin(), aliases_.end(),
                     [&](const ModelConfig& known) { return id_of(known) == model_id; });
}

inline std::vector<std::string> PoolSnapshot::models() const {
  std::vector<std::string> names;
  for (const auto& [name, route] : routes_) {
    const bool listed = route.alias == nullptr && unlisted_ == UnlistedModels::serve;
    const bool active = route.alias != nullptr && route.alias->active;
    if (active || (listed && std::any_of(entries_.begin(), entries_.end(),
                                         [&](const Entry& entry) { return lists(entry, name); }))) {
      names.push_back(name);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

inline void PoolSnapshot::reset_after_fork() const noexcept {
  for (const auto& slot : slots_) slot->reset_after_fork();
}

}  // namespace llmroute
