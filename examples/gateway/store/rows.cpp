/// A column of another kind than expected reads as nothing: the store is ours alone to write.
#include "rows.hpp"

#include <llmroute/wire/json_text.hpp>

#include "gateway/json_value.hpp"

namespace gateway::rows {
namespace {

/// Reads columns one after the other.
class Reader {
 public:
  explicit Reader(const SqlRow& row) : row_(row) {}

  std::string text() { return optional_text().value_or(std::string()); }
  std::int64_t number() { return optional_number().value_or(0); }
  bool flag() { return number() != 0; }

  std::optional<std::string> optional_text() {
    const auto* text = std::get_if<std::string>(&next());
    return text != nullptr ? std::optional(*text) : std::nullopt;
  }

  std::optional<std::int64_t> optional_number() {
    const auto* number = std::get_if<std::int64_t>(&next());
    return number != nullptr ? std::optional(*number) : std::nullopt;
  }

  double real() {
    const SqlValue& value = next();
    if (const auto* real = std::get_if<double>(&value)) return *real;
    const auto* whole = std::get_if<std::int64_t>(&value);
    return whole != nullptr ? static_cast<double>(*whole) : 0;
  }

  std::vector<std::string> list() {
    auto texts = JsonValue(text()).texts();
    return texts ? std::move(*texts) : std::vector<std::string>();
  }

 private:
  const SqlValue& next() {
    static const SqlValue nothing;
    return at_ < row_.size() ? row_[at_++] : nothing;
  }

  const SqlRow& row_;
  std::size_t at_ = 0;
};

}  // namespace

// The elements of a braced list are evaluated in their order.

ModelRecord model_of(const SqlRow& row) {
  Reader in(row);
  return {.id = in.text(),
          .name = in.text(),
          .model_id = in.text(),
          .active = in.flag(),
          .default_params = in.text(),
          .reasoning_config = in.text(),
          .transforms = in.text(),
          .created_at = in.number(),
          .updated_at = in.number()};
}

BackendRecord backend_of(const SqlRow& row) {
  Reader in(row);
  return {.id = in.text(),
          .model = in.text(),
          .url = in.text(),
          .weight = in.real(),
          .active = in.flag(),
          .created_at = in.number(),
          .updated_at = in.number()};
}

KeyRecord key_of(const SqlRow& row) {
  Reader in(row);
  return {.id = in.text(),
          .hash = in.text(),
          .prefix = in.text(),
          .name = in.text(),
          .allowed_models = in.list(),
          .rpm_limit = in.optional_number(),
          .tpm_limit = in.optional_number(),
          .expires_at = in.optional_number(),
          .active = in.flag(),
          .created_at = in.number(),
          .updated_at = in.number()};
}

AuditRecord audit_of(const SqlRow& row) {
  Reader in(row);
  return {.id = in.text(),
          .at = in.number(),
          .who = in.text(),
          .action = in.text(),
          .subject = in.text(),
          .before = in.optional_text(),
          .after = in.optional_text()};
}

SqlValue value_of(bool flag) { return std::int64_t{flag ? 1 : 0}; }

SqlValue value_of(const std::optional<std::int64_t>& number) {
  return number ? SqlValue(*number) : SqlValue();
}

SqlValue value_of(const std::optional<std::string>& text) {
  return text ? SqlValue(*text) : SqlValue();
}

SqlValue value_of(const std::vector<std::string>& list) { return json_list(list); }

}  // namespace gateway::rows
