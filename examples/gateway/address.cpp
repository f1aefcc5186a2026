/// Host and port apart.
#include "address.hpp"

#include <fmt/format.h>

#include <charconv>

namespace gateway {

using llmroute::Error;
using llmroute::ErrorCode;
using llmroute::Result;

Result<Address> read_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const std::string_view digits = colon == text.npos ? "" : text.substr(colon + 1);
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const bool whole = !host.empty() && (bracketed || host.find_first_of("[]:") == host.npos);
  Address address{.host = std::string(host)};
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
  if (whole && error == std::errc{} && end == digits.data() + digits.size()) return address;
  return Error{.code = ErrorCode::invalid_config,
               .message = fmt::format("\"{}\" is not host:port, such as \"127.0.0.1:9000\"", text)};
}

}  // namespace gateway
