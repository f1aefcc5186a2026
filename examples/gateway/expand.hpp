/// Puts the environment's variables into texts, in the two spellings of the files that are read:
/// `${NAME}` and `os.environ/NAME`.
#pragma once

#include <functional>
#include <llmroute/result.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "variables.hpp"

namespace gateway {

/// A variable's value, if it is set.
using Lookup = std::function<std::optional<std::string>(std::string_view name)>;

/// Looks in `environment`, then among the process's own: a file may name any variable.
Lookup lookup_in(const Environment& environment);

/// `text` with the value of each `${NAME}` in its place. One that is not set is an invalid_config
/// error that names it, unless `unset_is_empty`.
llmroute::Result<std::string> expand_variables(std::string_view text, const Lookup& lookup,
                                               bool unset_is_empty = false);

/// NAME of "os.environ/NAME"; empty: the text is not of that form.
std::string_view environ_name(std::string_view text);

}  // namespace gateway
