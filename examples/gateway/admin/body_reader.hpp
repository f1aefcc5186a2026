/// Reads an admin request's body into a record, field by field: what is not there stays as it was,
/// so that creating and changing are the same.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/json_value.hpp"
#include "gateway/timestamp.hpp"

namespace gateway {

/// Each `read` takes a field; end() refuses what nobody took. The first error stays: an
/// invalid_argument with the field as `param`.
class BodyReader {
 public:
  explicit BodyReader(std::string_view body);

  bool has(std::string_view name) const { return find(name) != nullptr; }

  /// The field has to be there.
  void require(std::string_view name);

  // Null sets back what need not be given.
  void read_name(std::string_view name,
                 std::string& out);  ///< 1 to 256 bytes, no control character
  void read_text(std::string_view name, std::string& out);
  void read(std::string_view name, bool& out);
  void read_weight(std::string_view name, double& out);  ///< 0 or more
  void read_limit(std::string_view name, std::optional<std::int64_t>& out);
  void read_moment(std::string_view name, std::optional<Timestamp>& out);
  void read_names(std::string_view name, std::vector<std::string>& out);
  void read_object(std::string_view name, std::string& out);  ///< as it was written

  llmroute::Result<void> end();

 private:
  const JsonValue* find(std::string_view name) const;
  const JsonValue* take(std::string_view name);
  void refuse(std::string_view name, std::string_view what);

  JsonObject members_{};
  std::vector<std::string_view> taken_{};
  std::optional<llmroute::Error> error_{};
};

}  // namespace gateway
