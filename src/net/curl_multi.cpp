/// Adding, removing and keeping transfers, and libcurl's callbacks about sockets and time.
#include "net/curl_multi.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <new>
#include <utility>

#include "net/loop.hpp"

namespace llmroute::net {

namespace {

Interest interest_of(int what) noexcept {
  switch (what) {
    case CURL_POLL_IN:
      return Interest::read;
    case CURL_POLL_OUT:
      return Interest::write;
    case CURL_POLL_INOUT:
      return Interest::read_write;
    default:
      return Interest::none;
  }
}

/// Null for one of libcurl's own.
EasyHandle* handle_of(CURL* easy) noexcept {
  char* stored = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &stored);
  return reinterpret_cast<EasyHandle*>(stored);
}

}  // namespace

CurlMulti::CurlMulti(Loop& loop, Reactor& reactor)
    : loop_(loop), share_(Share::instance()), sockets_(reactor) {
  idle_.reserve(most_idle);  // so that giving one back cannot fail
  open();
}

void CurlMulti::open() {
  multi_ = curl_multi_init();
  if (multi_ == nullptr) throw std::bad_alloc();
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlMulti::on_interest);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlMulti::on_due);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  // By default libcurl keeps four connections a running transfer: after a burst it would close the
  // others.
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, most_connections);
  // One stream a connection, also with HTTP/2: libcurl 7.88 stops reading a connection for all when
  // one of its streams is paused (docs/decisions/0008).
  curl_multi_setopt(multi_, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
}

CurlMulti::~CurlMulti() {
  while (lingering_.linked()) stop(static_cast<EasyHandle*>(lingering_.next));
  idle_.clear();
  curl_multi_cleanup(multi_);
}

void CurlMulti::abandon(std::unique_ptr<CurlMulti> multi) noexcept {
  multi->close_connections();
  static_cast<void>(multi.release());
}

void CurlMulti::close_connections() noexcept {
  sockets_.each_open([](int fd) { ::close(fd); });
}

int CurlMulti::on_interest(CURL* easy, curl_socket_t fd, int what, void* self, void*) noexcept {
  auto* multi = static_cast<CurlMulti*>(self);
  try {
    EasyHandle* handle = what == CURL_POLL_REMOVE ? handle_of(easy) : nullptr;
    if (handle != nullptr && handle->connecting()) multi->between_sockets_.push_back(handle);
    multi->sockets_.want(fd, interest_of(what));
    return 0;
  } catch (const std::bad_alloc&) {
    return -1;  // libcurl then ends its transfers
  }
}

int CurlMulti::on_due(CURLM*, long wait_ms, void* self) noexcept {
  auto* multi = static_cast<CurlMulti*>(self);
  multi->due_ = wait_ms < 0 ? never : multi->loop_.now() + std::chrono::milliseconds(wait_ms);
  return 0;
}

curl_socket_t CurlMulti::open_socket(const curl_sockaddr& address) noexcept {
  const int fd = ::socket(address.family, address.socktype | SOCK_CLOEXEC, address.protocol);
  if (fd < 0) return CURL_SOCKET_BAD;
  try {
    sockets_.opened(fd);
    return fd;
  } catch (const std::bad_alloc&) {
    ::close(fd);
    return CURL_SOCKET_BAD;
  }
}

int CurlMulti::on_close_socket(void* self, curl_socket_t fd) noexcept {
  static_cast<CurlMulti*>(self)->sockets_.closing(fd);
  return ::close(fd);
}

void CurlMulti::run_due() {
  due_ = never;  // libcurl sets it anew where there is more to come
  act(CURL_SOCKET_TIMEOUT, 0);
  go_on_connecting();
}

void CurlMulti::act(curl_socket_t fd, int what) {
  int running = 0;
  if (curl_multi_socket_action(multi_, fd, what, &running) != CURLM_OK) give_up();
}

/// Of several addresses 7.88 closes the socket of one that took too long, and opens that of the
/// next when it is called again, for which it sets no clock: this does.
void CurlMulti::go_on_connecting() {
  for (EasyHandle* handle : between_sockets_) {
    curl_easy_pause(handle->get(), CURLPAUSE_RECV);
    curl_easy_pause(handle->get(), CURLPAUSE_CONT);
  }
  between_sockets_.clear();
}

/// libcurl is out of memory. 7.88 then leaves a socket's table of transfers half made, and divides
/// by its size of zero when next it has to do with that number: nothing here goes on, and the next
/// transfer begins with a handle that has no tables yet.
void CurlMulti::give_up() noexcept {
  between_sockets_.clear();
  while (lingering_.linked()) stop(static_cast<EasyHandle*>(lingering_.next));
  while (running_.linked()) {
    auto* handle = static_cast<EasyHandle*>(running_.next);
    handle->unlink();
    curl_multi_remove_handle(multi_, handle->get());
    handle->owner()->on_lost();
  }
  curl_multi_cleanup(std::exchange(multi_, nullptr));
  due_ = never;
}

void CurlMulti::on_ready(int fd, bool readable, bool writable, bool failed) {
  if (!sockets_.wanted(fd)) return;
  const int what = (readable ? CURL_CSELECT_IN : 0) | (writable ? CURL_CSELECT_OUT : 0) |
                   (failed ? CURL_CSELECT_ERR : 0);
  acting_on_ = fd;
  act(fd, what);
  acting_on_ = -1;
  go_on_connecting();
}

void CurlMulti::collect_finished() {
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    const CURLcode code = message->data.result;
    EasyHandle* handle = handle_of(message->easy_handle);
    if (replay(*handle, code)) continue;
    handle->note_result(code);
    if (handle->owner() != nullptr) {
      handle->owner()->on_finished(code, handle->detail());
    } else {
      stop(handle);
    }
  }
}

/// A request that was to go out on a kept connection, where there is none any more; or one that the
/// node closed at the same moment: with HTTP/1.1 libcurl sends it once more by itself, with HTTP/2
/// 7.88 does not.
bool CurlMulti::replay(EasyHandle& handle, int code) noexcept {
  if (code == CURLE_OK || handle.owner() == nullptr) return false;
  const bool lost = handle.lost_kept_connection(code) && handle.owner()->replayable();
  if (!lost && !handle.refused_to_connect()) return false;
  handle.prepare_to_connect();
  curl_multi_remove_handle(multi_, handle.get());
  return curl_multi_add_handle(multi_, handle.get()) == CURLM_OK;
}

EasyHandle* CurlMulti::start(HttpTransfer& transfer, const Endpoint& endpoint,
                             HttpTransfer::Mode mode, std::string_view body,
                             std::span<const Header> extra) {
  if (lingering_.linked()) finish_lingering();
  if (multi_ == nullptr) open();
  std::unique_ptr<EasyHandle> handle = take_idle(endpoint, mode);
  if (const char* bad = handle->prepare(transfer, body, extra)) {
    transfer.fail(
        TransferError::Kind::internal,
        "header \"" + std::string(bad) + "\" cannot be sent: it holds a line break or a NUL");
    return nullptr;
  }
  if (curl_multi_add_handle(multi_, handle->get()) != CURLM_OK) throw std::bad_alloc();
  running_.push_back(*handle);
  return handle.release();
}

void CurlMulti::stop(EasyHandle* handle) noexcept {
  handle->grace.disarm();
  handle->unlink();
  handle->disown();
  handle->close_connection();
  curl_multi_remove_handle(multi_, handle->get());
  std::erase(between_sockets_, handle);
  keep_idle(std::unique_ptr<EasyHandle>(handle));
}

void CurlMulti::linger(EasyHandle* handle) noexcept {
  handle->disown();
  lingering_.push_back(*handle);
  try {
    handle->grace.arm(loop_, after(loop_.now(), linger_limit), &CurlMulti::on_grace_over, handle);
  } catch (const std::bad_alloc&) {
    return stop(handle);  // then the connection is not used again
  }
  curl_easy_pause(handle->get(), CURLPAUSE_CONT);
}

void CurlMulti::on_grace_over(void* handle) {
  auto* lingering = static_cast<EasyHandle*>(handle);
  lingering->multi().stop(lingering);
}

/// The end of a body that has arrived since the last turn frees its connection for the request that
/// is about to start.
void CurlMulti::finish_lingering() {
  int left = looked_at_before_start;
  for (Link* link = lingering_.next; link != &lingering_ && left > 0; --left) {
    const int fd = static_cast<EasyHandle*>(link)->socket();
    link = link->next;
    if (fd >= 0) on_ready(fd, true, false, false);
    if (!lingering_.linked()) break;  // given up
  }
  collect_finished();
}

std::unique_ptr<EasyHandle> CurlMulti::take_idle(const Endpoint& endpoint,
                                                 HttpTransfer::Mode mode) {
  const auto fits = [&](const auto& handle) {
    return handle->fits(endpoint.prepared_.get(), mode);
  };
  const auto found = std::find_if(idle_.rbegin(), idle_.rend(), fits);
  if (found != idle_.rend()) {
    std::unique_ptr<EasyHandle> handle = std::move(*found);
    idle_.erase(std::next(found).base());
    return handle;
  }
  std::erase_if(idle_, [](const auto& handle) { return handle->orphaned(); });
  return std::make_unique<EasyHandle>(*this, endpoint.prepared_, mode);
}

void CurlMulti::keep_idle(std::unique_ptr<EasyHandle> handle) noexcept {
  if (handle->orphaned()) return;
  if (idle_.size() == most_idle) idle_.erase(idle_.begin());
  idle_.push_back(std::move(handle));
}

}  // namespace llmroute::net
