/// Fields of a form as browsers and SDKs send it with a file: multipart/form-data (RFC 7578).
#pragma once

#include <llmroute/result.hpp>
#include <string>
#include <string_view>

namespace gateway {

/// The value of the field; empty: there is none. `boundary` is the parameter of the Content-Type.
///
/// The form goes to its node byte by byte, so one that another reader could read in another way is
/// an invalid_argument: one without an end or with something behind it, a boundary behind half a
/// line end, a part whose head is not plain (see read_parameters), and the field given twice, as a
/// file, encoded, or in other letters.
llmroute::Result<std::string> form_field(std::string_view boundary, std::string_view body,
                                         std::string_view name);

}  // namespace gateway
