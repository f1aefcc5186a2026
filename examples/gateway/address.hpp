/// An address to listen on, as one text.
#pragma once

#include <cstdint>
#include <llmroute/result.hpp>
#include <string>
#include <string_view>

namespace gateway {

struct Address {
  std::string host{};
  std::uint16_t port = 0;
};

/// "127.0.0.1:9000", "[::1]:9000", "localhost:0".
llmroute::Result<Address> read_address(std::string_view text);

}  // namespace gateway
