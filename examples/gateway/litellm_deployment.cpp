/// A table of keys, and one of providers.
#include "litellm_deployment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <llmroute/text.hpp>

#include "rename.hpp"

namespace gateway {
namespace {

using llmroute::Result;

constexpr std::array<Rename, 24> deployment_keys = {{
    {"model_name", "model_name"},
    {"litellm_params.model", "model"},
    {"litellm_params.custom_llm_provider", "provider"},
    {"litellm_params.api_base", "node.url"},
    {"litellm_params.base_url", "node.url"},
    {"litellm_params.api_key", "node.api_key"},
    {"litellm_params.api_version", "version"},  // Azure's present API has none
    {"litellm_params.extra_headers", "node.headers"},
    {"litellm_params.max_parallel_requests", "node.max_concurrent_requests"},
    {"litellm_params.weight", "share.weight"},
    {"litellm_params.rpm", "share.rpm"},
    {"litellm_params.tpm", "share.tpm"},
    {"litellm_params.temperature", "params.temperature"},
    {"litellm_params.top_p", "params.top_p"},
    {"litellm_params.max_tokens", "params.max_tokens"},
    {"litellm_params.max_completion_tokens", "params.max_completion_tokens"},
    {"litellm_params.presence_penalty", "params.presence_penalty"},
    {"litellm_params.frequency_penalty", "params.frequency_penalty"},
    {"litellm_params.seed", "params.seed"},
    {"litellm_params.stop", "params.stop"},
    {"litellm_params.user", "params.user"},
    {"litellm_params.reasoning_effort", "params.reasoning_effort"},
    {"litellm_params.response_format", "params.response_format"},
    {"litellm_params.logit_bias", "params.logit_bias"},
}};

/// What stands before the slash in `model`: those that speak OpenAI's dialect.
struct Known {
  std::string_view prefix;
  std::string_view provider;  ///< as we call it
  std::string_view url = {};  ///< where it is when api_base is left out
};

constexpr std::array<Known, 14> providers = {{
    {"openai", "openai", "https://api.openai.com/v1"},
    {"azure", "azure"},
    {"text-completion-openai", "openai", "https://api.openai.com/v1"},
    {"custom_openai", "auto"},
    {"openai_like", "auto"},
    {"litellm_proxy", "auto"},
    {"lm_studio", "auto"},
    {"hosted_vllm", "vllm"},
    {"vllm", "vllm"},
    {"sglang", "sglang"},
    {"llamafile", "llamacpp"},
    {"huggingface", "tgi"},
    {"triton", "triton"},
    {"anthropic", "anthropic", "https://api.anthropic.com/v1"},
}};

const Known* find_provider(std::string_view prefix) {
  const auto found = std::find_if(providers.begin(), providers.end(),
                                  [&](const Known& known) { return known.prefix == prefix; });
  return found == providers.end() ? nullptr : found;
}

std::string nearest_provider(std::string_view prefix) {
  Names names;
  for (const Known& known : providers) names.push_back(known.prefix);
  return llmroute::nearest(prefix, names);
}

Result<std::string> text_of(const Setting& entry, std::string_view name, const Setting* value,
                            std::string_view path) {
  const auto* text = value != nullptr ? std::get_if<std::string>(&value->value) : nullptr;
  if (text != nullptr && !text->empty()) return *text;
  return refused(value != nullptr ? *value : entry, fmt::format("{}.{}", path, name),
                 value != nullptr ? "takes a text" : "is missing");
}

/// Sets model id, provider and, where it is left out, the URL.
Result<void> read_model(Setting& renamed, const std::string& path, Deployment& out) {
  auto model = text_of(renamed, "litellm_params.model", renamed.find("model"), path);
  if (!model) return std::move(model.error());
  const Setting* named = renamed.find("provider");
  const auto* said = named != nullptr ? std::get_if<std::string>(&named->value) : nullptr;
  const std::size_t slash = model->find('/');
  std::string_view prefix = said != nullptr ? std::string_view(*said) : "openai";
  std::string_view id = *model;
  if (slash != model->npos && (said == nullptr || id.substr(0, slash) == *said)) {
    prefix = id.substr(0, slash);
    id.remove_prefix(slash + 1);
  }
  const Known* provider = find_provider(prefix);
  if (provider == nullptr) {
    return refused(*renamed.find("model"), "",
                   fmt::format("\"{}\" is no provider that speaks OpenAI's dialect; nearest: "
                               "\"{}/...\". Or say which by custom_llm_provider",
                               prefix, nearest_provider(prefix)));
  }
  out.model_id = id;
  const std::string place = renamed.find("model")->place;
  out.node.set("provider", {.value = std::string(provider->provider), .place = place});
  out.node.set("models",
               {.value = Setting::Array{{.value = out.model_id, .place = place}}, .place = place});
  if (provider->prefix == "azure") {
    out.node.set("base_path", {.value = std::string("/openai/v1"), .place = place});
  }
  if (out.node.find("url") != nullptr) return {};
  if (provider->url.empty()) {
    return refused(renamed, fmt::format("{}.litellm_params.api_base", path), "is missing");
  }
  out.node.set("url", {.value = std::string(provider->url), .place = place});
  return {};
}

}  // namespace

Result<Deployment> read_deployment(const Setting& entry, const std::string& path) {
  Setting rest = entry;
  const std::optional<Setting> info =
      take(rest, "model_info");  // anything; only the id says something
  auto renamed = rename_entry(rest, path, deployment_keys, Unnamed::refused);
  if (!renamed) return std::move(renamed.error());
  auto name = text_of(*renamed, "model_name", renamed->find("model_name"), path);
  if (!name) return std::move(name.error());

  Deployment out{.model_name = std::move(*name), .place = entry.place};
  out.node = take(*renamed, "node").value_or(Setting{});
  out.node.place = entry.place;
  out.params = take(*renamed, "params").value_or(Setting{});
  out.share = take(*renamed, "share").value_or(Setting{});
  const Setting* id = info ? info->find("id") : nullptr;
  if (const auto* text = id != nullptr ? std::get_if<std::string>(&id->value) : nullptr) {
    out.name = *text;
  }
  if (auto read = read_model(*renamed, path, out); !read) return read.error();
  return out;
}

}  // namespace gateway
