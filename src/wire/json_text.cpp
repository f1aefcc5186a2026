#include <fmt/format.h>

#include <cstdint>
#include <iterator>
#include <llmroute/wire/json_text.hpp>

namespace llmroute::wire {

namespace {

std::optional<std::uint32_t> four_hex(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  std::uint32_t value = 0;
  for (const char c : text.substr(0, 4)) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return std::nullopt;
    value = value * 16 + static_cast<std::uint32_t>(digit);
  }
  return value;
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) return put(0xC0 | code >> 6), put(0x80 | (code & 0x3F));
  if (code < 0x10000) {
    return put(0xE0 | code >> 12), put(0x80 | (code >> 6 & 0x3F)), put(0x80 | (code & 0x3F));
  }
  put(0xF0 | code >> 18), put(0x80 | (code >> 12 & 0x3F)), put(0x80 | (code >> 6 & 0x3F));
  put(0x80 | (code & 0x3F));
}

/// The escape after `\u`: one unit or a surrogate pair. Returns how many bytes of `rest` it took, 0
/// when it is none.
std::size_t append_unicode(std::string& out, std::string_view rest) {
  const auto first = four_hex(rest);
  if (!first) return 0;
  if (*first < 0xD800 || *first > 0xDFFF) return append_utf8(out, *first), 4;
  if (*first < 0xDC00 && rest.size() >= 10 && rest[4] == '\\' && rest[5] == 'u') {
    const auto second = four_hex(rest.substr(6));
    if (second && *second >= 0xDC00 && *second <= 0xDFFF) {
      append_utf8(out, 0x10000 + ((*first - 0xD800) << 10) + (*second - 0xDC00));
      return 10;
    }
  }
  append_utf8(out, 0xFFFD);
  return 4;
}

}  // namespace

std::string json_quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  out += '"';
  return out;
}

void append_unescaped(std::string& out, std::string_view inside) {
  while (!inside.empty()) {
    const std::size_t slash = inside.find('\\');
    out.append(inside.substr(0, slash));
    if (slash == std::string_view::npos) return;
    inside.remove_prefix(slash + 1);
    if (inside.empty()) {
      out += '\\';
      return;
    }
    const char c = inside.front();
    inside.remove_prefix(1);
    switch (c) {
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 't':
        out += '\t';
        break;
      case 'b':
        out += '\b';
        break;
      case 'f':
        out += '\f';
        break;
      case '"':
      case '\\':
      case '/':
        out += c;
        break;
      case 'u':
        if (const std::size_t taken = append_unicode(out, inside); taken != 0) {
          inside.remove_prefix(taken);
        } else {
          out += "\\u";
        }
        break;
      default:
        (out += '\\') += c;
    }
  }
}

}  // namespace llmroute::wire
