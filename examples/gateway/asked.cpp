/// JSON by the library's own reader, forms by form.hpp.
#include "asked.hpp"

#include <llmroute/headers.hpp>
#include <llmroute/wire/api_path.hpp>
#include <llmroute/wire/check_json.hpp>
#include <llmroute/wire/request_view.hpp>
#include <utility>

#include "form.hpp"
#include "json_keys.hpp"
#include "parameters.hpp"

namespace gateway {
namespace {

using llmroute::Error;
using llmroute::Result;
using llmroute::same_field_name;

constexpr std::string_view model_key = "model";

Error field_error(std::string_view field, std::string_view what) {
  return {.code = llmroute::ErrorCode::invalid_argument,
          .message = std::string(what),
          .param = std::string(field)};
}

/// What a body is, by its Content-Type: on the paths that take more than JSON it goes to the node
/// with the body.
struct BodyKind {
  bool form = false;
  std::string_view boundary{};
};

Result<BodyKind> kind_of(std::string_view content_type) {
  if (content_type.empty()) return BodyKind{};
  const auto type = read_parameters(content_type);
  if (!type) return field_error("content-type", "the Content-Type cannot be read");
  if (!same_field_name(type->find("charset").value_or("utf-8"), "utf-8")) {
    return field_error("content-type", "the only charset is utf-8");
  }
  if (same_field_name(type->word, "application/json")) return BodyKind{};
  if (same_field_name(type->word, "multipart/form-data")) {
    return BodyKind{.form = true, .boundary = type->find("boundary").value_or("")};
  }
  return field_error("content-type",
                     "the Content-Type must be application/json or multipart/form-data here");
}

Result<Asked> read_form(std::string_view boundary, std::string_view body) {
  Result<std::string> model = form_field(boundary, body, model_key);
  if (!model) return std::move(model.error());
  return Asked{.model = std::move(*model)};
}

}  // namespace

/// Where a model answers JSON with JSON there are no forms: what is posted there is sent on as
/// JSON.
Result<Asked> read_asked(const http::Request& request) {
  const bool inference = llmroute::wire::is_inference_path(request.path());
  if (!inference) {
    const Result<BodyKind> kind = kind_of(request.find("Content-Type").value_or(""));
    if (!kind) return kind.error();
    if (kind->form) return read_form(kind->boundary, request.body);
  }
  const Result<void> checked = llmroute::wire::check_json(request.body, request.path());
  if (!checked) return checked.error();
  if (has_key_in_other_letters(request.body, model_key)) {
    return field_error(model_key, "the field is called \"model\", in small letters");
  }
  const auto body = llmroute::wire::read_request(request.body);
  if (!body) return body.error();
  return Asked{.model = std::string(body->model), .stream = body->stream && inference};
}

}  // namespace gateway
