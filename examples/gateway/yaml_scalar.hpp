/// What a plain scalar of YAML means, by the core schema (YAML 1.2, section 10.3.2): `yes` and
/// `off` are texts, as JSON has no such words either.
#pragma once

#include <optional>
#include <string_view>

#include "setting.hpp"

namespace gateway {

/// A number, true, false or the text itself; none for null, and for the numbers that JSON cannot
/// write (.inf, .nan), of which `is_yaml_null` knows the first.
std::optional<decltype(Setting::value)> yaml_scalar(std::string_view text);

bool is_yaml_null(std::string_view text);

}  // namespace gateway
