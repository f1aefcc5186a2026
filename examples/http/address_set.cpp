/// All addresses are compared as those of IPv6: a caller that comes by either family is the same.
#include "address_set.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <llmroute/headers.hpp>

#include "message.hpp"

namespace http {
namespace {

using llmroute::Error;
using llmroute::ErrorCode;

constexpr std::string_view mapped_prefix = "::ffff:";
constexpr int mapped_bits = 96;

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

/// How many leading bits of an address of IPv6 the text after the slash stands for; none: it is no
/// such number.
std::optional<int> read_bits(std::string_view text, bool v4) {
  int bits = -1;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), bits);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (bits < 0 || bits > (v4 ? 32 : 128)) return std::nullopt;
  return v4 ? bits + mapped_bits : bits;
}

}  // namespace

std::optional<AddressSet::Bytes> AddressSet::read(std::string_view address) {
  const bool v4 = address.find(':') == address.npos;
  std::string text = v4 ? std::string(mapped_prefix) : std::string();
  text += address;
  Bytes bytes{};
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return std::nullopt;
  return bytes;
}

llmroute::Result<AddressSet> AddressSet::of(const std::vector<std::string>& networks) {
  AddressSet set;
  for (const std::string& network : networks) {
    const std::string_view text = network;
    const std::size_t slash = text.find('/');
    const std::string_view address = text.substr(0, slash);
    const bool v4 = address.find(':') == address.npos;
    const std::optional<Bytes> bytes = read(address);
    const std::optional<int> bits =
        slash == text.npos ? std::optional(128) : read_bits(text.substr(slash + 1), v4);
    if (!bytes || !bits) {
      return Error{.code = ErrorCode::invalid_argument,
                   .message = fmt::format(
                       "\"{}\" is no address and no network, such as \"10.0.0.0/8\"", network)};
    }
    set.networks_.push_back({*bytes, *bits});
  }
  return set;
}

bool AddressSet::contains(std::string_view address) const {
  if (networks_.empty()) return false;
  const std::optional<Bytes> bytes = read(address);
  if (!bytes) return false;
  return std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
    const auto whole = static_cast<std::size_t>(network.bits / 8);
    if (!std::equal(bytes->begin(), bytes->begin() + whole, network.bytes.begin())) return false;
    const int rest = network.bits % 8;
    if (rest == 0) return true;
    const int differ = (*bytes)[whole] ^ network.bytes[whole];
    return differ >> (8 - rest) == 0;
  });
}

std::string_view bare_address(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    text = end == text.npos ? std::string_view() : text.substr(1, end - 1);
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    text = text.substr(0, text.find(':'));
  }
  text = text.substr(0, text.find('%'));
  const bool v4 = text.find(':') == text.npos;
  std::array<std::uint8_t, 16> bytes{};
  const std::string copy(text);
  return inet_pton(v4 ? AF_INET : AF_INET6, copy.c_str(), bytes.data()) == 1 ? text
                                                                             : std::string_view();
}

std::optional<std::string_view> forwarded_client(const Request& request,
                                                 const AddressSet& trusted) {
  std::optional<std::string_view> client;
  for (std::size_t i = request.size(); i-- > 0;) {
    const Field field = request.field(i);
    if (!llmroute::same_field_name(field.name, "X-Forwarded-For")) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const std::size_t comma = rest.rfind(',');
      const std::string_view last = comma == rest.npos ? rest : rest.substr(comma + 1);
      rest = rest.substr(0, comma == rest.npos ? 0 : comma);
      const std::string_view address = bare_address(last);
      if (address.empty()) return client;  // what stands before it nobody vouches for
      client = address;
      if (!trusted.contains(address)) return client;
    }
  }
  return client;
}

}  // namespace http
