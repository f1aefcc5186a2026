/// The rules of a request's head, one a function.
#include "head_parser.hpp"

#include <algorithm>
#include <llmroute/headers.hpp>

namespace http {
namespace {

using llmroute::same_field_name;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_alpha(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_hex(char c) noexcept {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

std::string_view trim(std::string_view text) noexcept {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return text.substr(0, 0);
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_port(std::string_view text) noexcept {
  return text.size() <= 5 && std::all_of(text.begin(), text.end(), is_digit);
}

/// uri-host [":" port] (RFC 9112, section 3.2); empty is allowed there.
bool is_host(std::string_view text) noexcept {
  std::size_t end = 0;
  if (text.starts_with('[')) {
    end = text.find(']');
    if (end == text.npos || end < 3) return false;
    const std::string_view inside = text.substr(1, end - 1);
    if (!std::all_of(inside.begin(), inside.end(),
                     [](char c) { return is_hex(c) || c == ':' || c == '.'; })) {
      return false;
    }
    ++end;
  } else {
    const auto in_name = [](char c) {
      return is_digit(c) || is_alpha(c) ||
             std::string_view("-._~%!$&'()*+;=").find(c) != std::string_view::npos;
    };
    while (end < text.size() && in_name(text[end])) ++end;
    if (end == 0) return text.empty();
  }
  return end == text.size() || (text[end] == ':' && is_port(text.substr(end + 1)));
}

}  // namespace

std::size_t HeadScanner::scan(std::string_view bytes) {
  while (!fault_) {
    const std::size_t newline = bytes.find('\n', seen_);
    const std::size_t end = std::min(newline, bytes.size());
    if (line_ == 0 && end > limits_.target + 64) {
      fault_ = {414, "the request target is too long"};
    } else if (end > limits_.head) {
      fault_ = {431, "the header fields are too long"};
    }
    if (fault_ || newline == bytes.npos) break;
    if (newline == line_ || bytes[newline - 1] != '\r') {
      fault_ = {400, "a line must end with CR LF"};
      break;
    }
    seen_ = newline + 1;
    const bool blank = newline == line_ + 1;
    if (blank && line_ > 0) return seen_;
    if (blank) fault_ = {400, "a request begins with its request line"};
    line_ = seen_;
  }
  if (!fault_) seen_ = bytes.size();
  return 0;
}

std::optional<Field> split_field(std::string_view line) noexcept {
  const std::size_t colon = line.find(':');
  if (colon == line.npos) return std::nullopt;
  const Field field{line.substr(0, colon), trim(line.substr(colon + 1))};
  if (!is_token(field.name) || !is_field_text(field.value)) return std::nullopt;
  return field;
}

Request::Place HeadParser::place(std::string_view part) const noexcept {
  return {static_cast<std::uint32_t>(part.data() - request_->head_.data()),
          static_cast<std::uint32_t>(part.size())};
}

Fault HeadParser::read(std::string head, Request& request) {
  request_ = &request;
  request.head_ = std::move(head);
  request.fields_.reserve(16);
  std::string_view rest = request.head_;
  for (bool first = true;; first = false) {
    const std::size_t end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    if (line.empty()) break;
    if (const Fault fault = first ? read_request_line(line) : read_field(line)) return fault;
  }
  if (const Fault fault = check_whole()) return fault;
  request.keep_alive_ = !says_close_ && (!request.http_1_0_ || says_keep_alive_);
  return {};
}

Fault HeadParser::read_request_line(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == line.npos || first == last) return {400, "not a request line"};
  const std::string_view method = line.substr(0, first);
  if (!is_token(method) || method.size() > 32) return {400, "not a method"};
  request_->method_ = place(method);
  if (const Fault fault = read_version(line.substr(last + 1))) return fault;
  return read_target(line.substr(first + 1, last - first - 1));
}

Fault HeadParser::read_version(std::string_view version) {
  const bool shaped = version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) &&
                      version[6] == '.' && is_digit(version[7]);
  if (!shaped) return {400, "not a request line"};
  request_->http_1_0_ = version == "HTTP/1.0";
  if (!request_->http_1_0_ && version != "HTTP/1.1")
    return {505, "only HTTP/1.1 and HTTP/1.0 are spoken"};
  return {};
}

Fault HeadParser::read_target(std::string_view target) {
  if (target.size() > limits_.target) return {414, "the request target is too long"};
  const auto visible = [](char c) { return c > 0x20 && c < 0x7f; };
  if (target.empty() || !std::all_of(target.begin(), target.end(), visible))
    return {400, "not a request target"};
  const std::string_view method = request_->method();
  if (method == "CONNECT" || method == "TRACE") return {405, "CONNECT and TRACE are not served"};
  for (const std::string_view scheme :
       {"http://", "https://"}) {  // absolute-form: the origin is this one anyway
    if (!same_field_name(target.substr(0, scheme.size()), scheme)) continue;
    const std::size_t slash = target.find('/', scheme.size());
    const std::string_view authority = target.substr(scheme.size(), slash - scheme.size());
    if (slash == target.npos || authority.empty() || !is_host(authority))
      return {400, "not a request target"};
    target.remove_prefix(slash);
  }
  if (target[0] != '/' && !(target == "*" && method == "OPTIONS"))
    return {400, "not a request target"};
  if (target.find('#') != target.npos) return {400, "a request target has no fragment"};
  request_->target_ = place(target);
  return {};
}

Fault HeadParser::read_field(std::string_view line) {
  if (line[0] == ' ' || line[0] == '\t') return {400, "a header field must not be folded"};
  if (request_->fields_.size() == limits_.fields) return {431, "there are too many header fields"};
  const std::optional<Field> field = split_field(line);
  if (!field) return {400, "not a header field"};
  request_->fields_.push_back({place(field->name), place(field->value)});
  return take_field(field->name, field->value);
}

/// What the server itself has to know.
Fault HeadParser::take_field(std::string_view name, std::string_view value) {
  if (same_field_name(name, "Host")) {
    ++hosts_;
    return is_host(value) ? Fault{} : Fault{400, "Host is not a host"};
  }
  if (same_field_name(name, "Content-Length")) return take_length(value);
  if (same_field_name(name, "Transfer-Encoding")) return take_coding(value);
  if (same_field_name(name, "Connection")) take_connection(value);
  if (same_field_name(name, "Expect")) {
    framing_.expect_continue = same_field_name(value, "100-continue");
    if (!framing_.expect_continue) return {417, "only 100-continue can be expected"};
  }
  return {};
}

Fault HeadParser::take_length(std::string_view value) {
  const bool number =
      !value.empty() && value.size() <= 18 && std::all_of(value.begin(), value.end(), is_digit);
  if (++lengths_ > 1 || !number) return {400, "Content-Length must be one number, given once"};
  for (const char c : value)
    framing_.length = framing_.length * 10 + static_cast<std::uint64_t>(c - '0');
  return {};
}

Fault HeadParser::take_coding(std::string_view value) {
  framing_.chunked = true;
  if (++codings_ > 1 || request_->http_1_0_)
    return {400, "Transfer-Encoding must be given once, in HTTP/1.1"};
  if (same_field_name(value, "chunked")) return {};
  return is_token(value) ? Fault{501, "the only transfer coding is chunked"}
                         : Fault{400, "Transfer-Encoding must be exactly chunked"};
}

void HeadParser::take_connection(std::string_view value) {
  while (!value.empty()) {
    const std::size_t comma = std::min(value.find(','), value.size());
    const std::string_view option = trim(value.substr(0, comma));
    says_close_ = says_close_ || same_field_name(option, "close");
    says_keep_alive_ = says_keep_alive_ || same_field_name(option, "keep-alive");
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
}

Fault HeadParser::check_whole() const {
  if (hosts_ > 1 || (hosts_ == 0 && !request_->http_1_0_)) return {400, "Host must be given once"};
  if (lengths_ > 0 && codings_ > 0)
    return {400, "Content-Length and Transfer-Encoding exclude each other"};
  return {};
}

}  // namespace http
