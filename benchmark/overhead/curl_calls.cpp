#include "curl_calls.hpp"

#include "answers.hpp"

namespace bench {

CurlCalls::CurlCalls(const Client& client)
    : client_(client),
      url_(client.node() + "/v1/chat/completions"),
      multi_((curl_global_init(CURL_GLOBAL_ALL), curl_multi_init())),
      headers_(curl_slist_append(nullptr, "Content-Type: application/json")),
      meter_(client.calls) {}

CurlCalls::~CurlCalls() {
  for (const auto& slot : slots_) {
    curl_multi_remove_handle(multi_, slot->easy);
    curl_easy_cleanup(slot->easy);
  }
  curl_multi_cleanup(multi_);
  curl_slist_free_all(headers_);
}

void CurlCalls::start() {
  for (int i = 0; i < client_.in_flight; ++i) {
    slots_.push_back(std::make_unique<Slot>(Slot{this, curl_easy_init()}));
    set_up(*slots_.back());
    ++started_;
    curl_multi_add_handle(multi_, slots_.back()->easy);
  }
}

void CurlCalls::set_up(Slot& slot) {
  const std::string_view body = question(client_.stream);
  curl_easy_setopt(slot.easy, CURLOPT_URL, url_.c_str());
  curl_easy_setopt(slot.easy, CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(slot.easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
  curl_easy_setopt(slot.easy, CURLOPT_HTTPHEADER, headers_);
  curl_easy_setopt(slot.easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(slot.easy, CURLOPT_PRIVATE, &slot);
  curl_easy_setopt(slot.easy, CURLOPT_WRITEDATA, &slot);
  curl_easy_setopt(slot.easy, CURLOPT_WRITEFUNCTION, client_.stream ? &count_chunk : &collect);
}

std::size_t CurlCalls::collect(char* bytes, std::size_t, std::size_t count, void* slot) {
  static_cast<Slot*>(slot)->body.append(bytes, count);
  return count;
}

std::size_t CurlCalls::count_chunk(char*, std::size_t, std::size_t count, void* slot) {
  static_cast<Slot*>(slot)->calls->meter_.count_chunk();
  return count;
}

void CurlCalls::turn() {
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    Slot* slot = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &slot);
    finish(*slot, message->data.result);
  }
}

void CurlCalls::finish(Slot& slot, CURLcode result) {
  long status = 0;
  curl_easy_getinfo(slot.easy, CURLINFO_RESPONSE_CODE, &status);
  if (result != CURLE_OK || status != 200) meter_.count_failure();
  meter_.count_call();
  curl_multi_remove_handle(multi_, slot.easy);
  if (started_ == client_.calls) return;
  ++started_;
  slot.body.clear();
  curl_multi_add_handle(multi_, slot.easy);
}

}  // namespace bench
