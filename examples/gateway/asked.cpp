/// JSON by the library's own reader, forms by form.hpp.
#include "asked.hpp"

#include <llmroute/wire/api_path.hpp>
#include <llmroute/wire/check_json.hpp>
#include <llmroute/wire/request_view.hpp>

#include "form.hpp"

namespace gateway {
namespace {

using llmroute::Result;

Result<Asked> read_form(std::string_view content_type, std::string_view body) {
  Result<std::string> model = form_field(content_type, body, "model");
  if (!model) return std::move(model.error());
  return Asked{.model = std::move(*model), .has_model = true};
}

}  // namespace

/// Where a model answers JSON with JSON there are no forms: what is posted there is sent on as
/// JSON.
Result<Asked> read_asked(const http::Request& request) {
  const bool inference = llmroute::wire::is_inference_path(request.path());
  const std::string_view content_type = request.find("Content-Type").value_or("");
  if (!inference && is_form(content_type)) return read_form(content_type, request.body);
  const Result<void> checked = llmroute::wire::check_json(request.body, request.path());
  if (!checked) return checked.error();
  const auto body = llmroute::wire::read_request(request.body);
  if (!body) return body.error();
  return Asked{.model = std::string(body->model),
               .has_model = body->has_model,
               .stream = body->stream && inference};
}

}  // namespace gateway
