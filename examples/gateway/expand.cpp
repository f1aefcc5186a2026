/// One pass over the text; what a variable holds is not looked at again.
#include "expand.hpp"

#include <fmt/format.h>

#include <cstdlib>

namespace gateway {

using llmroute::Result;

Lookup lookup_in(const Environment& environment) {
  return [environment](std::string_view name) -> std::optional<std::string> {
    if (const auto found = environment.find(name); found != environment.end()) return found->second;
    const char* value = std::getenv(std::string(name).c_str());
    return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
  };
}

Result<std::string> expand_variables(std::string_view text, const Lookup& lookup,
                                     bool unset_is_empty) {
  std::string out;
  for (;;) {
    const std::size_t open = text.find("${");
    const std::size_t close = open == text.npos ? open : text.find('}', open);
    if (close == text.npos) break;
    const std::string_view name = text.substr(open + 2, close - open - 2);
    const std::optional<std::string> value = lookup(name);
    if (!value && !unset_is_empty) {
      return llmroute::Error{
          .code = llmroute::ErrorCode::invalid_config,
          .message = fmt::format("the environment variable {} is not set", name)};
    }
    out.append(text.substr(0, open)).append(value.value_or(""));
    text.remove_prefix(close + 1);
  }
  return out.append(text);
}

std::string_view environ_name(std::string_view text) {
  constexpr std::string_view prefix = "os.environ/";
  return text.starts_with(prefix) ? text.substr(prefix.size()) : std::string_view();
}

}  // namespace gateway
