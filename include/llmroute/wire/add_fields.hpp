/// Fields for a request that has not got them: put in by offset, so that all that the caller wrote
/// stays as it was written.
#pragma once

#include <llmroute/wire/members.hpp>
#include <llmroute/wire/request_view.hpp>
#include <llmroute/wire/splice.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace llmroute::wire {

/// A name and its value as JSON text.
struct Field {
  std::string name{};
  std::string json{};

  friend bool operator==(const Field&, const Field&) = default;
};

/// The members of an object as they are written; none when the text is no object.
std::optional<std::vector<Field>> read_fields(std::string_view object);

/// What `path` calls a field: a limit of the answer is max_output_tokens in /v1/responses.
std::string_view name_on(std::string_view path, std::string_view name) noexcept;

/// Whether the request gives a field, null being a value like any other. The three names of the
/// answer's limit (max_tokens, max_completion_tokens, max_output_tokens) are one field: a caller
/// that gives one of them has set it.
bool gives(std::span<const Member> present, std::string_view name) noexcept;

/// The edit that puts those of `fields` in front of the object's own that it does not give; none
/// when it gives all. `present`: its members.
std::optional<Edit> add_fields(const RequestView& request, std::span<const Member> present,
                               std::span<const Field> fields, std::string_view path);

}  // namespace llmroute::wire
