#include "config_model.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <array>
#include <llmroute/wire/reasoning.hpp>
#include <new>
#include <set>

namespace llmroute::detail {

namespace {

/// What a request asks for cannot be a default of the model that it is asked of.
struct NoDefault {
  std::string_view name;
  std::string_view why;
};

constexpr std::array no_defaults{
    NoDefault{"model", "is what the alias stands for; use model_id"},
    NoDefault{"stream", "is for the caller to say"},
    NoDefault{"messages", "is the request itself; use transforms.system_prompt_prefix"},
    NoDefault{"prompt", "is the request itself"},
    NoDefault{"input", "is the request itself"},
};

/// JSON from a configuration's text has been read whole; that of a program may be anything.
bool is_object(const std::string& json) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  const auto error = parser.parse(json).get_object().get(object);
  if (error == simdjson::MEMALLOC) throw std::bad_alloc();
  return !error;
}

void check_names(const std::vector<wire::Field>& fields, const std::string& key,
                 ConfigFault& fault) {
  std::set<std::string_view> seen;
  for (const wire::Field& field : fields) {
    const std::string place = fmt::format("{}.{}", key, field.name);
    if (!seen.insert(field.name).second) fault.note(place, "is given twice");
    for (const NoDefault& row : no_defaults) {
      if (field.name == row.name) fault.note(place, std::string(row.why));
    }
  }
}

void check_defaults(const std::string& json, const std::string& key, ConfigFault& fault) {
  if (json.empty()) return;
  const auto fields = is_object(json) ? wire::read_fields(json) : std::nullopt;
  if (!fields) return fault.note(key, "must be a table");
  check_names(*fields, key, fault);
  const Result<wire::RequestView> view = wire::read_request(json);
  if (!view) fault.note(fmt::format("{}.{}", key, view.error().param), view.error().message);
}

void check_reasoning(const std::string& json, const std::string& key, ConfigFault& fault) {
  if (json.empty()) return;
  if (!is_object(json)) return fault.note(key, "must be a table");
  const Result<wire::Reasoning> reasoning = wire::read_reasoning(json);
  if (reasoning) return check_names(reasoning->others, key, fault);
  const Error& error = reasoning.error();
  fault.note(error.param.empty() ? key : fmt::format("{}.{}", key, error.param), error.message);
}

}  // namespace

void check_shaping(const ModelConfig& model, const std::string& path, ConfigFault& fault) {
  check_defaults(model.default_params, path + ".default_params", fault);
  check_reasoning(model.reasoning_config, path + ".reasoning_config", fault);
  const std::string& prefix = model.transforms.system_prompt_prefix;
  if (!simdjson::validate_utf8(prefix.data(), prefix.size())) {
    fault.note(path + ".transforms.system_prompt_prefix", "is not valid UTF-8");
  }
}

}  // namespace llmroute::detail
