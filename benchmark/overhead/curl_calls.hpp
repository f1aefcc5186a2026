/// The calls of both floors: easy handles that are set up once and go round and round on a multi
/// handle. A body is collected, a chunk counted; nothing is parsed.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>
#include <vector>

#include "client.hpp"
#include "meter.hpp"

namespace bench {

class CurlCalls {
 public:
  explicit CurlCalls(const Client& client);
  ~CurlCalls();
  CurlCalls(const CurlCalls&) = delete;
  CurlCalls& operator=(const CurlCalls&) = delete;

  CURLM* multi() const noexcept { return multi_; }

  /// Starts the first ones.
  void start();

  /// Takes those that are over and starts as many others.
  void turn();

  Meter& meter() noexcept { return meter_; }

 private:
  struct Slot {
    CurlCalls* calls;
    CURL* easy;
    std::string body{};
  };

  static std::size_t collect(char* bytes, std::size_t, std::size_t count, void* slot);
  static std::size_t count_chunk(char* bytes, std::size_t, std::size_t count, void* slot);
  void set_up(Slot& slot);
  void finish(Slot& slot, CURLcode result);

  Client client_;
  std::string url_;
  CURLM* multi_;
  curl_slist* headers_;
  std::vector<std::unique_ptr<Slot>> slots_;
  long started_ = 0;
  Meter meter_;
};

}  // namespace bench
