/// A header field's value with parameters, as Content-Type and Content-Disposition have them, read
/// so strictly that no other reader finds something else in it.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace gateway {

/// Views of the field.
struct Parameters {
  struct Parameter {
    std::string_view name;
    std::string_view value;  ///< without its quotes; backslashes stand as they came
  };

  std::string_view word{};  ///< in front of the first semicolon: "multipart/form-data"
  std::vector<Parameter> list{};

  /// The value of the parameter of that name, ASCII case aside; names are not given twice.
  std::optional<std::string_view> find(std::string_view name) const noexcept;
};

/// None for whatever is not a word and `; token=token` or `; token="text"` behind it, for a name
/// given twice, and for names in the extended notation, `name*=`, which one reader decodes and
/// another does not know. But `filename*` is what .NET and urllib3 before 1.25 send of a file, and
/// nobody decides by it.
std::optional<Parameters> read_parameters(std::string_view field);

}  // namespace gateway
