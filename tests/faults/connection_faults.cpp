/// Before a request is read: addresses, connections, TLS.
#include <dlfcn.h>
#include <netdb.h>

#include "faults/fault.hpp"

/// Names without a network. libcurl's resolver threads call this one.
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints,
                           addrinfo** result) {
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "getaddrinfo"));
  const std::string_view asked = name != nullptr ? name : "";
  if (asked == "none.test") return EAI_NONAME;
  if (asked == "busy.test") return EAI_AGAIN;
  if (asked != "two.test") return real(name, service, hints, result);
  const int failed = real("127.0.0.2", service, hints, result);  // nobody listens there
  return failed != 0 ? failed : real("127.0.0.1", service, hints, &(*result)->ai_next);
}

namespace llmroute::test {

namespace {

using Trust = TlsNode::Trust;

auto no_node(const std::string& url) {
  return makes([url] { return std::make_unique<NoNode>(url); });
}

auto greets(Greeting greeting, const std::string& scheme) {
  return makes([=] { return std::make_unique<ScriptedNode>(greeting, scheme); });
}

auto certificate(const std::string& name, bool expired, Trust trust) {
  return makes([=] { return std::make_unique<TlsNode>(name, expired, trust); });
}

Expected no_connection(std::string_view reason = "", Limit limit = Limit::none) {
  return {
      .code = ErrorCode::connect_failed, .limit = limit, .reason = reason, .blames = Blame::node};
}

}  // namespace

std::vector<Fault> connection_faults() {
  const Expected no_tls = charged_to(Blame::node, elsewhere(ErrorCode::tls_failed));
  const Expected untrusted =
      charged_to(Blame::node, elsewhere(ErrorCode::tls_failed, "certificate"));
  const Expected reset{.code = ErrorCode::upstream_error,
                       .or_code = ErrorCode::connect_failed,
                       .blames = Blame::node};
  const Expected silent = no_connection("", Limit::connect);
  return {
      {"connection refused", makes([] {
         return std::make_unique<NoNode>("http://127.0.0.1:" + std::to_string(refused_port()));
       }),
       no_connection("Failed to connect"), no_connection("Failed to connect")},
      {"connection reset when accepted", greets(Greeting::reset, "http"), reset, reset},
      {"SYN dropped (black hole)", makes([] { return std::make_unique<BlackHole>(); }), silent,
       silent},
      {"name not found", no_node("http://none.test:1"), no_connection("none.test"),
       no_connection("none.test")},
      {"name servers do not answer", no_node("http://busy.test:1"), no_connection("busy.test"),
       no_connection("busy.test")},
      {"name with two addresses, the first refuses",
       [](Mode mode, std::size_t) {
         return std::make_unique<ScriptedNode>(good_script(mode), "two.test");
       },
       harmless(), harmless()},
      {"TLS: handshake hangs", greets(Greeting::silence, "https"), silent, silent},
      {"TLS: plain HTTP on the port", greets(Greeting::plain_http, "https"), no_tls, no_tls},
      {"TLS: certificate expired", certificate("IP:127.0.0.1", true, Trust::its_certificate),
       untrusted, untrusted},
      {"TLS: certificate of another name",
       certificate("DNS:other.test", false, Trust::its_certificate), no_tls, no_tls},
      {"TLS: certificate signed by itself", certificate("IP:127.0.0.1", false, Trust::nothing),
       untrusted, untrusted},
      {"accepted, never answered", greets(Greeting::silence, "http"),
       only_elsewhere(ErrorCode::upstream_timeout, Limit::response),
       only_elsewhere(ErrorCode::upstream_timeout, Limit::headers)},
  };
}

}  // namespace llmroute::test
