/// How a model's thinking is turned on and off: one setting, and what each kind of node calls it.
#pragma once

#include <cstdint>
#include <llmroute/core/node_config.hpp>
#include <llmroute/result.hpp>
#include <llmroute/wire/add_fields.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace llmroute::wire {

struct Reasoning {
  std::optional<bool> enabled{};
  std::string effort{};            ///< as JSON text, quotes included; empty: not given
  std::int64_t budget_tokens = 0;  ///< 0: not given
  std::vector<Field> others{};     ///< go to every node as they are

  bool any() const noexcept {
    return enabled.has_value() || !effort.empty() || budget_tokens != 0 || !others.empty();
  }
};

/// Reads {"enabled":true,"effort":"high","budget_tokens":2048, ...}. An error names the member in
/// `param` and says what is wrong with it.
Result<Reasoning> read_reasoning(std::string_view json);

/// The fields that say it to a node of this kind, on this path.
std::vector<Field> reasoning_fields(const Reasoning& reasoning, Provider provider,
                                    std::string_view path);

/// The edits that put them into a request, those left out that it gives itself. An object of the
/// same name (chat_template_kwargs) is completed, its own members stay.
std::vector<Edit> set_reasoning(std::string_view body, const RequestView& request,
                                const Reasoning& reasoning, Provider provider,
                                std::string_view path);

}  // namespace llmroute::wire
