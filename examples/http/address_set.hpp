/// Sets of addresses: single ones and networks in CIDR notation, of either family.
#pragma once

#include <array>
#include <cstdint>
#include <llmroute/result.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace http {

class Request;

/// An immutable value.
class AddressSet {
 public:
  AddressSet() = default;

  /// Of "10.0.0.0/8", "192.168.1.7", "fd00::/8"; an invalid_argument names what is none of these.
  static llmroute::Result<AddressSet> of(const std::vector<std::string>& networks);

  bool empty() const noexcept { return networks_.empty(); }

  /// False for what is no address.
  bool contains(std::string_view address) const;

 private:
  using Bytes = std::array<std::uint8_t, 16>;
  struct Network {
    Bytes bytes{};
    int bits = 128;
  };

  static std::optional<Bytes> read(std::string_view address);

  std::vector<Network> networks_{};
};

/// An address without port, brackets and zone; empty: it is none.
std::string_view bare_address(std::string_view text);

/// Whom a request came from that a trusted proxy has passed on: of the addresses in X-Forwarded-For
/// the last one that is not a trusted proxy's. Those before it anyone may have written. None: the
/// proxy has not said. A view of the field.
std::optional<std::string_view> forwarded_client(const Request& request, const AddressSet& trusted);

}  // namespace http
