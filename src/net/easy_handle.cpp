/// Every option of every request is set here.
#include "net/easy_handle.hpp"

#include <algorithm>
#include <chrono>
#include <new>
#include <utility>

#include "net/curl_multi.hpp"

namespace llmroute::net {

namespace {

/// Memory of a waiting stream against reads per answer: a token's event is a few hundred bytes, a
/// whole answer a few thousand.
constexpr long streamed_buffer = 4096;
constexpr long whole_buffer = 16384;

template <class T>
void set(CURL* easy, CURLoption option, T value) {
  if (curl_easy_setopt(easy, option, value) == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
}

void set_text(CURL* easy, CURLoption option, const std::string& text) {
  if (!text.empty()) set(easy, option, text.c_str());
}

const char* text_or_null(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

/// 2TLS never asks for an upgrade of http://, and offers HTTP/1.1 beside HTTP/2.
long http_version(const EndpointOptions& options) noexcept {
  const bool old =
      options.http_version == HttpVersion::http_1_1 || !options.url.starts_with("https");
  return old ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS;
}

template <class Unit>
long count(Duration duration) {
  return static_cast<long>(std::chrono::ceil<Unit>(duration).count());
}

}  // namespace

EasyHandle::EasyHandle(CurlMulti& multi, Prepared endpoint, HttpTransfer::Mode mode)
    : multi_(multi),
      endpoint_(std::move(endpoint)),
      mode_(mode),
      share_(multi.share()),
      easy_(curl_easy_init()) {
  if (easy_ == nullptr) throw std::bad_alloc();
  try {
    set_common();
    set_endpoint();
    set_trust();
  } catch (...) {
    curl_easy_cleanup(easy_);
    throw;
  }
}

EasyHandle::~EasyHandle() { curl_easy_cleanup(easy_); }

void EasyHandle::set_common() {
  set(easy_, CURLOPT_PRIVATE, this);
  set(easy_, CURLOPT_WRITEFUNCTION, &EasyHandle::on_body);
  set(easy_, CURLOPT_WRITEDATA, this);
  set(easy_, CURLOPT_HEADERFUNCTION, &EasyHandle::on_header);
  set(easy_, CURLOPT_HEADERDATA, this);
  set(easy_, CURLOPT_PREREQFUNCTION, &EasyHandle::on_request);
  set(easy_, CURLOPT_PREREQDATA, this);
  set(easy_, CURLOPT_RESOLVER_START_FUNCTION, &EasyHandle::on_look_up);
  set(easy_, CURLOPT_RESOLVER_START_DATA, this);
  set(easy_, CURLOPT_OPENSOCKETFUNCTION, &EasyHandle::on_open_socket);
  set(easy_, CURLOPT_OPENSOCKETDATA, this);
  set(easy_, CURLOPT_CLOSESOCKETFUNCTION, &CurlMulti::on_close_socket);
  set(easy_, CURLOPT_CLOSESOCKETDATA, &multi_);
  set(easy_, CURLOPT_ERRORBUFFER, &detail_[0]);
  set(easy_, CURLOPT_SHARE, share_->handle());
  set(easy_, CURLOPT_NOSIGNAL, 1L);
  // Without it a cancel waits for the name look-up, and the whole loop with it.
  set(easy_, CURLOPT_QUICK_EXIT, 1L);
  set(easy_, CURLOPT_FOLLOWLOCATION, 0L);
  set(easy_, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(easy_, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);  // a proxy's, which are no node's answer
  set(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy_, CURLOPT_TCP_NODELAY, 1L);
  set(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
  const bool streamed = mode_ == HttpTransfer::Mode::streamed;
  set(easy_, CURLOPT_BUFFERSIZE, streamed ? streamed_buffer : whole_buffer);
}

void EasyHandle::set_endpoint() {
  const EndpointOptions& options = endpoint_->options;
  set(easy_, CURLOPT_URL, options.url.c_str());
  set_method(options.method);
  set(easy_, CURLOPT_HTTPHEADER, endpoint_->headers());
  set(easy_, CURLOPT_HTTP_VERSION, http_version(options));
  set(easy_, CURLOPT_FRESH_CONNECT, options.fresh_connection ? 1L : 0L);
  if (options.proxy != "env") set(easy_, CURLOPT_PROXY, options.proxy.c_str());
  set(easy_, CURLOPT_DNS_CACHE_TIMEOUT, count<std::chrono::seconds>(options.address_age));
  set(easy_, CURLOPT_MAXLIFETIME_CONN, count<std::chrono::seconds>(options.max_connection_age));
}

/// libcurl has POST, GET and HEAD; others are one of these under another name.
void EasyHandle::set_method(HttpMethod method) {
  if (method == HttpMethod::head) {
    set(easy_, CURLOPT_NOBODY, 1L);
  } else {
    set(easy_, sends_body(method) ? CURLOPT_POST : CURLOPT_HTTPGET, 1L);
  }
  if (method == HttpMethod::put || method == HttpMethod::patch || method == HttpMethod::delete_) {
    set(easy_, CURLOPT_CUSTOMREQUEST, name(method).data());
  }
}

void EasyHandle::set_trust() {
  const TlsConfig& tls = endpoint_->options.tls;
  set(easy_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));  // or later
  const TrustStore& trust = endpoint_->trust;
  if (!trust.file.empty() || !trust.folder.empty()) {  // one of them, and nothing beside it
    set(easy_, CURLOPT_CAINFO, text_or_null(trust.file));
    set(easy_, CURLOPT_CAPATH, text_or_null(trust.folder));
  }
  set_text(easy_, CURLOPT_SSLCERT, tls.cert_file);
  set_text(easy_, CURLOPT_SSLKEY, tls.key_file);
  set(easy_, CURLOPT_SSL_VERIFYPEER, tls.verify ? 1L : 0L);
  set(easy_, CURLOPT_SSL_VERIFYHOST, tls.verify ? 2L : 0L);
}

/// A number, for which libcurl takes no memory.
void EasyHandle::set_connect_clock(bool on) noexcept {
  if (std::exchange(connect_clock_, on) == on) return;
  const Duration limit = on ? endpoint_->options.connect_timeout : Duration::zero();
  curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, count<std::chrono::milliseconds>(limit));
}

bool EasyHandle::may_connect() noexcept {
  refused_to_connect_ = !connect_clock_;
  return connect_clock_;
}

void EasyHandle::prepare_to_connect() noexcept {
  set_connect_clock(true);
  refused_to_connect_ = false;
  connecting_ = true;
}

void EasyHandle::note_result(int code) noexcept {
  over_ = true;
  used_kept_ = code == CURLE_OK && on_kept_connection();
  connecting_ = false;
  const bool failed = code == CURLE_COULDNT_CONNECT || code == CURLE_OPERATION_TIMEDOUT;
  if (endpoint_->unreachable.load(std::memory_order_relaxed) != failed) {
    endpoint_->unreachable.store(failed, std::memory_order_relaxed);
  }
}

const char* EasyHandle::prepare(HttpTransfer& transfer, std::string_view body,
                                std::span<const Header> extra) {
  owner_ = &transfer;
  over_ = false;
  connecting_ = true;
  refused_to_connect_ = false;
  set_connect_clock(!std::exchange(used_kept_, false));
  if (endpoint_->unreachable.load(std::memory_order_relaxed)) {
    set(easy_, CURLOPT_RESOLVE, endpoint_->forget_address());  // for this one request
  }
  if (std::exchange(closes_, false)) set(easy_, CURLOPT_FORBID_REUSE, 0L);
  dropped_ = 0;
  detail_[0] = '\0';
  if (!extra.empty() || has_extra_) {
    const bool typed = std::any_of(extra.begin(), extra.end(), [](const Header& field) {
      return same_field_name(field.name, "content-type");
    });
    const char* bad = extra_.assign(extra, endpoint_->headers(typed));
    if (bad != nullptr) return bad;
    set(easy_, CURLOPT_HTTPHEADER, extra_.get());
    has_extra_ = !extra.empty();
  }
  if (sends_body(endpoint_->options.method)) {
    set(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    set(easy_, CURLOPT_POSTFIELDS, body.empty() ? "" : body.data());
  }
  return nullptr;
}

bool EasyHandle::lost_kept_connection(int code) const noexcept {
  if (code != CURLE_PARTIAL_FILE && code != CURLE_HTTP2 && code != CURLE_SEND_ERROR &&
      code != CURLE_RECV_ERROR) {
    return false;
  }
  return on_kept_connection();
}

bool EasyHandle::on_kept_connection() const noexcept {
  long made = 0;
  curl_easy_getinfo(easy_, CURLINFO_NUM_CONNECTS, &made);
  return made == 0;
}

void EasyHandle::close_connection() noexcept {
  if (over_ || closes_) return;
  closes_ = true;
  curl_easy_setopt(easy_, CURLOPT_FORBID_REUSE, 1L);
}

std::size_t EasyHandle::uploaded() const noexcept {
  curl_off_t bytes = 0;
  curl_easy_getinfo(easy_, CURLINFO_SIZE_UPLOAD_T, &bytes);
  return static_cast<std::size_t>(bytes);
}

int EasyHandle::socket() const noexcept {
  curl_socket_t socket = CURL_SOCKET_BAD;
  curl_easy_getinfo(easy_, CURLINFO_ACTIVESOCKET, &socket);
  return socket;
}

int EasyHandle::on_look_up(void*, void*, void* self) noexcept {
  return static_cast<EasyHandle*>(self)->may_connect() ? 0 : 1;
}

curl_socket_t EasyHandle::on_open_socket(void* self, curlsocktype,
                                         curl_sockaddr* address) noexcept {
  auto* handle = static_cast<EasyHandle*>(self);
  return handle->may_connect() ? handle->multi_.open_socket(*address) : CURL_SOCKET_BAD;
}

std::size_t EasyHandle::on_body(char* bytes, std::size_t, std::size_t size, void* self) {
  auto* handle = static_cast<EasyHandle*>(self);
  if (handle->owner_ != nullptr) return handle->owner_->on_body(bytes, size);
  handle->dropped_ += size;
  return handle->dropped_ <= dropped_at_most ? size : 0;
}

std::size_t EasyHandle::on_header(char* bytes, std::size_t, std::size_t size, void* self) {
  auto* handle = static_cast<EasyHandle*>(self);
  handle->multi_.response_begins();
  const bool good = handle->owner_ == nullptr || handle->owner_->on_header({bytes, size});
  return good ? size : 0;
}

int EasyHandle::on_request(void* self, char*, char*, int, int) noexcept {
  auto* handle = static_cast<EasyHandle*>(self);
  handle->connecting_ = false;
  const bool good = handle->owner_ == nullptr || handle->owner_->on_request();
  return good ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

}  // namespace llmroute::net
