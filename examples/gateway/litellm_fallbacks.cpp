/// Checks names and hands the lists around.
#include "litellm_fallbacks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <llmroute/text.hpp>

#include "rename.hpp"

namespace gateway {
namespace {

using llmroute::Result;

const std::string& name_of(const Setting& model) {
  return std::get<std::string>(model.find("name")->value);
}

Setting* find_model(Setting::Array& models, std::string_view name) {
  const auto found = std::find_if(models.begin(), models.end(),
                                  [&](const Setting& model) { return name_of(model) == name; });
  return found == models.end() ? nullptr : &*found;
}

Result<void> known_models(const Setting& list, Setting::Array& models, std::string_view key) {
  const auto* names = std::get_if<Setting::Array>(&list.value);
  if (names == nullptr) return refused(list, key, "takes a list of model names");
  for (const Setting& name : *names) {
    const auto* text = std::get_if<std::string>(&name.value);
    if (text == nullptr) return refused(name, key, "takes a list of model names");
    if (find_model(models, *text) != nullptr) continue;
    Names known;
    for (const Setting& model : models) {
      known.push_back(name_of(model));
    }
    return refused(name, key,
                   fmt::format("there is no model \"{}\"; nearest: \"{}\"", *text,
                               llmroute::nearest(*text, known)));
  }
  return {};
}

/// Puts [{ model: [others] }, ...] to the models they are about, under `key`.
Result<void> spread(const Setting* chains, std::string_view key, Setting::Array& models) {
  if (chains == nullptr) return {};
  const auto* list = std::get_if<Setting::Array>(&chains->value);
  if (list == nullptr) return refused(*chains, "", "takes a list of { model: [others] }");
  for (const Setting& entry : *list) {
    if (entry.table().empty()) return refused(entry, key, "takes { model: [others] }");
    for (const Setting::Member& chain : entry.table()) {
      const Setting one{.value = Setting::Array{{.value = chain.name, .place = entry.place}}};
      if (auto known = known_models(one, models, key); !known) return known;
      if (auto known = known_models(chain.setting, models, key); !known) return known;
      find_model(models, chain.name)->set(key, chain.setting);
    }
  }
  return {};
}

/// For models without fallbacks of their own; none is its own.
Result<void> spread_default(const Setting* others, Setting::Array& models) {
  if (others == nullptr) return {};
  if (auto known = known_models(*others, models, "default_fallbacks"); !known) return known;
  for (Setting& model : models) {
    if (model.find("fallbacks") != nullptr) continue;
    Setting chain{.value = Setting::Array{}, .place = others->place};
    for (const Setting& name : std::get<Setting::Array>(others->value)) {
      if (std::get<std::string>(name.value) == name_of(model)) continue;
      std::get<Setting::Array>(chain.value).push_back(name);
    }
    model.set("fallbacks", std::move(chain));
  }
  return {};
}

}  // namespace

Result<void> put_fallbacks(const Setting& chains, Setting::Array& models) {
  for (const std::string_view key : {"fallbacks", "context_window_fallbacks"}) {
    if (auto done = spread(chains.find(key), key, models); !done) return done;
  }
  return spread_default(chains.find("default_fallbacks"), models);
}

}  // namespace gateway
