/// A node with something wrong with it, however that has to be brought about.
#pragma once

#include <functional>
#include <llmroute/config.hpp>
#include <memory>
#include <string>
#include <vector>

#include "support/connection.hpp"
#include "support/h2_upstream.hpp"
#include "support/scripted_upstream.hpp"
#include "support/tls_identity.hpp"

namespace llmroute::test {

/// What a router has to be told of it, and whether it is still being talked to.
class FaultyNode {
 public:
  virtual ~FaultyNode() = default;
  virtual std::string url() const = 0;
  virtual std::string ca_file() const { return ""; }
  virtual std::vector<std::string> api_keys() const { return {}; }
  /// No connection of a call is left: each is closed, or kept for a next request.
  virtual bool wait_until_quiet() const { return true; }
};

/// Nobody is there: a port without listener, a name without address.
class NoNode final : public FaultyNode {
 public:
  explicit NoNode(std::string url) : url_(std::move(url)) {}
  std::string url() const override { return url_; }

 private:
  std::string url_;
};

/// A full queue of connections that nobody accepts: the kernel drops every further SYN, as a
/// firewall does.
class BlackHole final : public FaultyNode {
 public:
  BlackHole() {
    for (int i = 0; i < 8; ++i) fill_.push_back(listener_.connect_without_waiting());
  }
  std::string url() const override {
    return "http://127.0.0.1:" + std::to_string(listener_.port());
  }

 private:
  Listener listener_{0};
  std::vector<std::unique_ptr<Connection>> fill_;
};

/// Accepts and does what it is told. `host` is the name it goes by.
class ScriptedNode final : public FaultyNode {
 public:
  explicit ScriptedNode(Script script, std::string host = "")
      : upstream_(std::move(script)), host_(std::move(host)) {}
  explicit ScriptedNode(Greeting greeting, std::string scheme = "http")
      : upstream_(Script{}), scheme_(std::move(scheme)) {
    upstream_.greet(greeting);
  }
  std::string url() const override {
    const std::string host = host_.empty() ? "127.0.0.1" : host_;
    return scheme_ + "://" + host + ":" + std::to_string(upstream_.port());
  }
  bool wait_until_quiet() const override { return upstream_.wait_until_quiet(); }

 private:
  ScriptedUpstream upstream_;
  std::string host_;
  std::string scheme_ = "http";
};

/// Has given out two keys, and has had enough of the first.
class KeyedNode final : public FaultyNode {
 public:
  KeyedNode(const Script& refusal, const Script& good)
      : upstream_([refusal, good](const SeenRequest& request) {
          return request.headers.find("authorization") == "Bearer key-1" ? refusal : good;
        }) {}
  std::string url() const override { return upstream_.url(); }
  std::vector<std::string> api_keys() const override { return {"key-1", "key-2"}; }
  bool wait_until_quiet() const override { return upstream_.wait_until_quiet(); }

 private:
  ScriptedUpstream upstream_;
};

/// Answers properly, under a certificate that is not to be trusted.
class TlsNode final : public FaultyNode {
 public:
  enum class Trust { its_certificate, nothing };
  TlsNode(const std::string& name, bool expired, Trust trust)
      : identity_(name, expired ? TlsIdentity::Validity::expired : TlsIdentity::Validity::good),
        trust_(trust),
        upstream_([](const SeenRequest&) { return answer(200, chat_completion("stolen")); },
                  &identity_) {}
  std::string url() const override { return upstream_.url(); }
  std::string ca_file() const override {
    return trust_ == Trust::its_certificate ? identity_.certificate_file() : "";
  }
  bool wait_until_quiet() const override {
    return upstream_.wait_until_quiet() && upstream_.request_count() == 0;
  }

 private:
  TlsIdentity identity_;
  Trust trust_;
  ScriptedUpstream upstream_;
};

/// Proves who it is, and then does what it is told.
class SecureNode final : public FaultyNode {
 public:
  explicit SecureNode(const Script& script)
      : upstream_([script](const SeenRequest&) { return script; }, &identity_) {}
  std::string url() const override { return upstream_.url(); }
  std::string ca_file() const override { return identity_.certificate_file(); }
  bool wait_until_quiet() const override { return upstream_.wait_until_quiet(); }

 private:
  TlsIdentity identity_{};
  ScriptedUpstream upstream_;
};

/// The same over HTTP/2.
class H2Node final : public FaultyNode {
 public:
  explicit H2Node(const H2Script& script)
      : upstream_([script](const SeenRequest&) { return script; }, identity_) {}
  std::string url() const override { return upstream_.url(); }
  std::string ca_file() const override { return identity_.certificate_file(); }

 private:
  TlsIdentity identity_{};
  H2Upstream upstream_;
};

}  // namespace llmroute::test
