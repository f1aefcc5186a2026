/// A transfer between libcurl's callbacks, which only note and wake, and the coroutine that reads.
#include "net/http_transfer.hpp"

#include <algorithm>
#include <utility>

#include "net/curl_multi.hpp"
#include "net/easy_handle.hpp"

namespace llmroute::net {

namespace {

/// What a transfer keeps of a buffer that a burst has blown up.
constexpr std::size_t kept_capacity = std::size_t{16} << 10;

/// A node may promise more than it sends: so much is set aside on its word.
constexpr std::uint64_t reserved_at_most = 1 << 20;

}  // namespace

HttpTransfer::HttpTransfer(Loop& loop, const Endpoint& endpoint, std::string_view body,
                           std::span<const Header> extra_headers, Mode mode)
    : loop_(loop),
      mode_(mode),
      body_size_(body.size()),
      max_body_(endpoint.options().max_body),
      http_2_only_(endpoint.options().http_version == HttpVersion::http_2) {
  handle_ = loop.curl().start(*this, endpoint, mode, body, extra_headers);
}

HttpTransfer::~HttpTransfer() {
  if (handle_ != nullptr && !loop_.forked()) loop_.curl().stop(std::exchange(handle_, nullptr));
}

/// No exception goes through libcurl.
std::size_t HttpTransfer::on_body(const char* bytes, std::size_t size) noexcept {
  try {
    return gather(bytes, size);
  } catch (const std::bad_alloc&) {
    fail_without_memory();
    return 0;
  }
}

bool HttpTransfer::on_header(std::string_view line) noexcept {
  try {
    return note_header(line);
  } catch (const std::bad_alloc&) {
    return fail_without_memory();
  }
}

std::size_t HttpTransfer::gather(const char* bytes, std::size_t size) {
  if (mode_ == Mode::streamed) {
    if (in_.size() >= high_water) {
      paused_ = true;
      return CURL_WRITEFUNC_PAUSE;
    }
  } else if (in_.size() + size > max_body_) {
    fail(TransferError::Kind::too_large,
         "a response beyond " + std::to_string(max_body_) + " bytes");
    return 0;
  }
  in_.append(bytes, size);
  if (mode_ == Mode::streamed) wake_reader();
  return size;
}

bool HttpTransfer::note_header(std::string_view line) {
  const bool was_complete = head_.complete();
  if (const char* wrong = head_.add(line)) return fail(TransferError::Kind::protocol, wrong);
  if (http_2_only_ && !head_.http_2()) {
    return fail(TransferError::Kind::protocol,
                "the node has only HTTP/1.1, and its http_version is \"2\"");
  }
  if (!head_.complete() || was_complete) return true;
  if (mode_ == Mode::streamed) {
    wake_reader();
  } else if (const auto length = head_.content_length()) {
    in_.reserve(static_cast<std::size_t>(std::min(*length, reserved_at_most)));
  }
  return true;
}

/// A kept connection that the node closed at the same moment: libcurl sends the request once more,
/// on another. Were that one gone as well it would go on; a request is not sent a third time.
bool HttpTransfer::on_request() noexcept {
  if (++sends_ <= 2) return true;
  try {
    return fail(TransferError::Kind::reset_before_head,
                "the node closed two connections before it answered");
  } catch (const std::bad_alloc&) {
    return fail_without_memory();
  }
}

void HttpTransfer::on_finished(int curl_code, const char* detail) noexcept {
  finished_ = true;
  try {
    if (curl_code != CURLE_OK) {
      fail(transfer_error(curl_code, head_.complete(), detail));
    } else if (!head_.complete()) {
      fail({TransferError::Kind::reset_before_head, "connection closed within the response head"});
    }
  } catch (const std::bad_alloc&) {
    fail_without_memory();
  }
  wake_reader();
}

void HttpTransfer::on_lost() noexcept {
  if (finished_) return;
  fail_without_memory();
  finished_ = true;
  wake_reader();
}

/// A text that needs no memory either.
bool HttpTransfer::fail_without_memory() noexcept {
  return fail({TransferError::Kind::internal, "out of memory"});
}

bool HttpTransfer::fail(TransferError error) noexcept {
  if (!error_) error_ = std::move(error);
  return false;
}

bool HttpTransfer::fail(TransferError::Kind kind, std::string text) {
  if (handle_ != nullptr) handle_->close_connection();
  return fail(TransferError{kind, std::move(text)});
}

void HttpTransfer::wake_reader() {
  if (reader_ != nullptr) loop_.wake(*reader_);
}

const Headers& HttpTransfer::headers() {
  if (!headers_) {
    if (!head_.complete()) {
      static const Headers none;
      return none;
    }
    headers_ = head_.fields();
  }
  return *headers_;
}

/// True: there is something to take at once.
bool HttpTransfer::begin_read() {
  if (mode_ == Mode::streamed) {
    out_.clear();
    if (out_.capacity() > kept_capacity) std::string().swap(out_);
    if (paused_ && in_.size() < high_water / 2) {
      paused_ = false;
      curl_easy_pause(handle_->get(), CURLPAUSE_CONT);  // may call on_body at once
    }
  }
  return readable();
}

bool HttpTransfer::readable() const noexcept {
  if (finished_ || handle_ == nullptr) return true;
  return mode_ == Mode::streamed && head_.complete() && (!head_given_ || !in_.empty());
}

Chunk HttpTransfer::take() noexcept {
  reader_ = nullptr;
  if (!readable()) return {Chunk::Kind::timeout};
  if (mode_ == Mode::streamed && head_.complete() && !std::exchange(head_given_, true)) {
    return {Chunk::Kind::head};
  }
  if (mode_ == Mode::streamed && !in_.empty()) {
    out_.swap(in_);
    return {Chunk::Kind::data, out_};
  }
  return {error_ ? Chunk::Kind::failed : Chunk::Kind::end};
}

void HttpTransfer::finish_early() noexcept {
  reader_ = nullptr;
  clock_.disarm();
  if (handle_ == nullptr || loop_.forked()) return;
  EasyHandle* handle = std::exchange(handle_, nullptr);
  // The request's bytes are the caller's: once the transfer is gone libcurl must not need them any
  // more.
  const bool sent = handle->uploaded() >= body_size_;
  if (finished_ || !sent || !head_.framed()) return loop_.curl().stop(handle);
  loop_.curl().linger(handle);
}

HttpTransfer::Read::~Read() {
  if (transfer_.reader_ == &waiter_) transfer_.reader_ = nullptr;
}

void HttpTransfer::Read::await_suspend(std::coroutine_handle<> handle) {
  waiter_.handle = handle;
  transfer_.reader_ = &waiter_;
  transfer_.watch_clock(deadline_);
}

/// Arming is put off where the clock will strike early enough anyway: then it looks again. A
/// stream's idle clock so costs nothing per chunk.
void HttpTransfer::watch_clock(Time deadline) {
  deadline_ = deadline;
  if (deadline == never || (clock_.armed() && clock_.at() <= deadline)) return;
  clock_.arm(loop_, deadline, &HttpTransfer::on_clock, this);
}

void HttpTransfer::on_clock(void* self) {
  auto* transfer = static_cast<HttpTransfer*>(self);
  if (transfer->reader_ == nullptr || transfer->deadline_ == never) return;
  if (transfer->loop_.now() < transfer->deadline_)
    return transfer->watch_clock(transfer->deadline_);
  transfer->wake_reader();
}

}  // namespace llmroute::net
