/// Fields of a form as browsers and SDKs send it with a file: multipart/form-data (RFC 7578).
#pragma once

#include <llmroute/result.hpp>
#include <string>
#include <string_view>

namespace gateway {

bool is_form(std::string_view content_type) noexcept;

/// The value of the field; empty: there is none. A form that two readers could read in two ways is
/// an invalid_argument: one without a boundary or an end, one that has the field twice.
llmroute::Result<std::string> form_field(std::string_view content_type, std::string_view body,
                                         std::string_view name);

}  // namespace gateway
