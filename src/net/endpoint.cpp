/// Prepares an endpoint's header list, and refuses what cannot be sent.
#include "net/endpoint.hpp"

#include <stdexcept>

#include "net/endpoint_prepared.hpp"

namespace llmroute::net {

namespace {

/// What would end the line, or the text, early: a way to smuggle a second header.
bool sendable(std::string_view text) noexcept {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == text.npos;
}

/// Ends every list: libcurl would wait a second for "100 Continue" before it sends a large body.
char no_expect_line[] = "Expect:";
curl_slist no_expect{no_expect_line, nullptr};

/// Where nothing else is said: libcurl would call a body a form.
char json_line[] = "Content-Type: application/json";
curl_slist json{json_line, &no_expect};

/// "-gpu-1:8000", as CURLOPT_RESOLVE takes it; of no effect for addresses, which need no look-up.
std::string removal_of(std::string_view url) {
  const std::size_t host = url.find("://") + 3;
  const std::string_view authority = url.substr(host, url.find('/', host) - host);
  std::string entry = std::string("-").append(authority);
  if (authority.find(':') == authority.npos) entry += url.starts_with("https") ? ":443" : ":80";
  return entry;
}

TrustStore trust_of(const EndpointOptions& options) {
  if (!options.tls.ca_file.empty()) return {.file = options.tls.ca_file};
  return options.url.starts_with("https") ? system_trust() : TrustStore{};
}

}  // namespace

const char* HeaderList::append(const Header& field) {
  if (field.name.empty() || field.name.find_first_of(": ;") != field.name.npos ||
      !sendable(field.name) || !sendable(field.value)) {
    return field.name.c_str();
  }
  starts_.push_back(text_.size());
  text_.append(field.name);
  if (field.value.empty()) {
    text_.push_back(';');  // libcurl's way to say: send it, with nothing
  } else {
    text_.append(": ").append(field.value);
  }
  text_.push_back('\0');
  return nullptr;
}

Endpoint::Prepared::Prepared(EndpointOptions given)
    : options(std::move(given)), trust(trust_of(options)), forgotten_(removal_of(options.url)) {
  forget_.data = forgotten_.data();
  Headers others;
  for (const Header& field : options.headers) {
    if (!same_field_name(field.name, "content-type")) others.add(field.name, field.value);
  }
  untyped_.assign(others, &no_expect);
  const bool typed = others.size() < options.headers.size() || !sends_body(options.method);
  if (const char* bad = headers_.assign(options.headers, typed ? &no_expect : &json)) {
    throw std::invalid_argument(
        std::string("headers: \"") + bad +
        "\" cannot be sent: a name is a token, a value has no line break or NUL");
  }
}

Endpoint::Endpoint(EndpointOptions options)
    : prepared_(std::make_shared<const Prepared>(std::move(options))) {}

const EndpointOptions& Endpoint::options() const noexcept { return prepared_->options; }

}  // namespace llmroute::net
