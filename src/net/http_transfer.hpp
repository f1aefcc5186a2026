/// One HTTP request and its response. It lives in the coroutine that reads it; destroying it ends
/// the transfer at whatever moment, also in the middle of a slow name look-up.
#pragma once

#include <coroutine>
#include <llmroute/headers.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/endpoint.hpp"
#include "net/loop.hpp"
#include "net/response_head.hpp"
#include "net/transfer_error.hpp"

namespace llmroute::net {

class EasyHandle;

/// What a read brought.
struct Chunk {
  enum class Kind {
    head,     ///< streamed only, once, first: status() and headers() are known
    data,     ///< streamed only: `bytes`
    end,      ///< the response is whole
    failed,   ///< see error()
    timeout,  ///< the deadline came first; the transfer goes on, and may be read again
  };
  Kind kind = Kind::failed;
  std::string_view bytes{};  ///< valid until the next read
};

/// On its loop's thread only. While nobody reads, up to `high_water` bytes (and the piece that
/// crosses it) wait here and the node stands: TCP does the rest.
class HttpTransfer {
 public:
  /// whole: the body is gathered, the reader woken once, at the end. streamed: head first, then
  /// data as it comes.
  enum class Mode { whole, streamed };

  static constexpr std::size_t high_water = std::size_t{64} << 10;

  /// Starts the request; never from inside a libcurl callback. `body` is borrowed as long as the
  /// transfer lives. `extra_headers` go out beside the endpoint's and are copied.
  HttpTransfer(Loop& loop, const Endpoint& endpoint, std::string_view body,
               std::span<const Header> extra_headers, Mode mode);
  ~HttpTransfer();
  HttpTransfer(const HttpTransfer&) = delete;
  HttpTransfer& operator=(const HttpTransfer&) = delete;

  /// `Chunk chunk = co_await transfer.read(deadline);` One reader at a time.
  class Read {
   public:
    Read(HttpTransfer& transfer, Time deadline) noexcept
        : transfer_(transfer), deadline_(deadline) {}
    Read(const Read&) = delete;
    Read& operator=(const Read&) = delete;
    ~Read();

    bool await_ready() { return transfer_.begin_read(); }
    void await_suspend(std::coroutine_handle<> handle);
    Chunk await_resume() { return transfer_.take(); }

   private:
    HttpTransfer& transfer_;
    Time deadline_;
    Waiter waiter_{};
  };
  Read read(Time deadline) noexcept { return Read{*this, deadline}; }

  /// The final response's, once its head has come; 0 before.
  int status() const noexcept { return head_.status(); }

  /// Parsed when first asked for; empty before the head is complete.
  const Headers& headers();

  /// The same, moved out: for whoever is done with the transfer.
  Headers take_headers() {
    (void)headers();
    return headers_ ? std::move(*headers_) : Headers{};
  }

  /// Why read() said failed.
  const TransferError& error() const noexcept { return *error_; }

  /// whole: the body, moved out.
  std::string take_body() noexcept { return std::move(in_); }

  /// The reader has all it wants although the body has not ended: a stream whose [DONE] came. The
  /// transfer is left to the loop for a moment, so that the end of the body, mostly on its way
  /// already, leaves a connection to be used again. Status and headers stay; no more reads.
  void finish_early() noexcept;

 private:
  friend class CurlMulti;
  friend class EasyHandle;

  // From libcurl's callbacks: note and wake, nothing else.
  std::size_t on_body(const char* bytes, std::size_t size) noexcept;
  bool on_header(std::string_view line) noexcept;
  bool on_request() noexcept;
  bool replayable() const noexcept { return sends_ == 1 && !head_.begun() && !error_; }
  void on_finished(int curl_code, const char* detail) noexcept;
  void on_lost() noexcept;

  std::size_t gather(const char* bytes, std::size_t size);
  bool note_header(std::string_view line);
  bool begin_read();
  bool readable() const noexcept;
  Chunk take() noexcept;
  bool fail(TransferError::Kind kind, std::string text);
  bool fail(TransferError error) noexcept;
  bool fail_without_memory() noexcept;
  void wake_reader();
  void watch_clock(Time deadline);
  static void on_clock(void* self);

  Loop& loop_;

  Mode mode_;
  bool finished_ = false;
  bool paused_ = false;
  bool head_given_ = false;
  int sends_ = 0;
  std::size_t body_size_;
  std::size_t max_body_;
  bool http_2_only_;
  Waiter* reader_ = nullptr;
  Time deadline_ = never;
  Timer clock_;  // lazy: stays armed over reads, and looks at deadline_ when it fires
  ResponseHead head_;
  std::string in_;   // what libcurl appends to
  std::string out_;  // what the reader looks at
  std::optional<Headers> headers_;
  std::optional<TransferError> error_;
  EasyHandle* handle_ = nullptr;  // the loop's CurlMulti owns it; null once handed back
};

}  // namespace llmroute::net
