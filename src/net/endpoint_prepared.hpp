/// What an Endpoint holds: its options, and the header list as libcurl takes it.
#pragma once

#include <curl/curl.h>

#include <atomic>
#include <string>
#include <vector>

#include "net/endpoint.hpp"
#include "net/trust_store.hpp"

namespace llmroute::net {

/// Header lines as one of libcurl's lists, in memory that can be used again for the next request.
class HeaderList {
 public:
  HeaderList() = default;
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;

  /// Makes the list `fields` followed by `rest`. Returns the name of a field that cannot be sent,
  /// or null.
  template <class Fields>
  const char* assign(const Fields& fields, curl_slist* rest);

  curl_slist* get() noexcept { return nodes_.empty() ? rest_ : nodes_.data(); }

 private:
  const char* append(const Header& field);

  std::string text_;
  std::vector<std::size_t> starts_;
  std::vector<curl_slist> nodes_;
  curl_slist* rest_ = nullptr;
};

struct Endpoint::Prepared {
  explicit Prepared(EndpointOptions given);

  /// The fields of every request; for one that brings a Content-Type of its own those without.
  curl_slist* headers(bool brings_type = false) const noexcept {
    return (brings_type ? untyped_ : headers_).get();
  }

  /// Says to libcurl that what it knows of the name is of no use.
  curl_slist* forget_address() const noexcept { return &forget_; }

  EndpointOptions options;
  TrustStore trust;  ///< of an https:// URL

  /// The last attempt to connect failed, on whatever loop: the name may stand for another address
  /// by now.
  mutable std::atomic<bool> unreachable{false};

 private:
  mutable HeaderList headers_;  // libcurl takes a mutable pointer, and only reads
  mutable HeaderList untyped_;
  std::string forgotten_;
  mutable curl_slist forget_{};
};

template <class Fields>
const char* HeaderList::assign(const Fields& fields, curl_slist* rest) {
  text_.clear();
  starts_.clear();
  rest_ = rest;
  for (const Header& field : fields) {
    if (const char* bad = append(field)) return bad;
  }
  nodes_.resize(starts_.size());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    nodes_[i].data = text_.data() + starts_[i];
    nodes_[i].next = i + 1 < nodes_.size() ? &nodes_[i + 1] : rest;
  }
  return nullptr;
}

}  // namespace llmroute::net
