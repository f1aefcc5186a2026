/// One thread, one socket, a poll: reads frames, plays scripts, writes frames.
#include "support/h2_session.hpp"

#include <fcntl.h>
#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace llmroute::test {

namespace {

constexpr std::size_t most_out = 16 * 1024;  // small, so that a reader that stops is soon felt

nghttp2_nv field_of(const Header& field) {
  return {const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(field.name.data())),
          const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(field.value.data())),
          field.name.size(), field.value.size(), NGHTTP2_NV_FLAG_NONE};
}

bool is_open(const Gate& gate) {
  pollfd fd{gate.fd(), POLLIN, 0};
  return ::poll(&fd, 1, 0) == 1;
}

}  // namespace

/// libnghttp2's, with the session as their user data.
struct H2Session::Callbacks {
  static H2Session& session(void* self) { return *static_cast<H2Session*>(self); }

  static int begin(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    session(self).streams_[frame->hd.stream_id];
    return 0;
  }
  static int header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                    std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                    std::uint8_t, void* self) {
    SeenRequest& request = session(self).streams_[frame->hd.stream_id].request;
    const std::string key(reinterpret_cast<const char*>(name), name_size);
    std::string text(reinterpret_cast<const char*>(value), value_size);
    if (key == ":method") request.method = text;
    if (key == ":path") request.target = text;
    request.headers.add(key, std::move(text));
    return 0;
  }
  static int data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                  std::size_t size, void* self) {
    session(self).streams_[id].request.body.append(reinterpret_cast<const char*>(bytes), size);
    return 0;
  }
  static int frame(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    H2Session& to = session(self);
    const bool request = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    if (!request || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
    Stream& stream = to.streams_[frame->hd.stream_id];
    stream.script = to.events_.on_request(stream.request);
    stream.asked = true;
    return 0;
  }
  static int closed(nghttp2_session*, std::int32_t id, std::uint32_t, void* self) {
    session(self).streams_.erase(id);
    return 0;
  }
  static ssize_t body(nghttp2_session*, std::int32_t id, std::uint8_t* to, std::size_t most,
                      std::uint32_t* flags, nghttp2_data_source*, void* self) {
    Stream& stream = session(self).streams_[id];
    const std::size_t size = std::min(most, stream.pending.size() - stream.taken);
    std::memcpy(to, stream.pending.data() + stream.taken, size);
    stream.taken += size;
    if (size == 0 && !stream.ended) return NGHTTP2_ERR_DEFERRED;
    if (size == 0) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(size);
  }
};

H2Session::H2Session(SSL* ssl, const H2Events& events)
    : ssl_(ssl), fd_(SSL_get_fd(ssl)), events_(events) {
  ::fcntl(fd_, F_SETFL, O_NONBLOCK);
  SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, &Callbacks::begin);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, &Callbacks::header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &Callbacks::data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &Callbacks::frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &Callbacks::closed);
  nghttp2_option* option = nullptr;
  nghttp2_option_new(&option);
  nghttp2_option_set_no_http_messaging(option, 1);  // what a script says is sent, right or wrong
  nghttp2_option_set_max_send_header_block_length(option, std::size_t{8} << 20);
  nghttp2_session_server_new2(&session_, callbacks, this, option);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  const nghttp2_settings_entry streams{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 100};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &streams, 1);
}

H2Session::~H2Session() { nghttp2_session_del(session_); }

void H2Session::run(const Gate& stop) {
  while (!over_ && !is_open(stop)) {
    const bool received = receive();
    const bool advanced = advance();
    const bool sent = send();
    if (!over_ && !received && !advanced && !sent) wait(stop);
  }
}

/// True: there was something.
bool H2Session::receive() {
  std::uint8_t bytes[16 * 1024];
  const int size = SSL_read(ssl_, bytes, sizeof bytes);
  if (size > 0) {
    over_ = nghttp2_session_mem_recv(session_, bytes, static_cast<std::size_t>(size)) < 0;
    return true;
  }
  over_ = SSL_get_error(ssl_, size) != SSL_ERROR_WANT_READ;
  return false;
}

void H2Session::fill_out() {
  const std::uint8_t* bytes = nullptr;
  while (out_.size() < most_out) {
    const ssize_t size = nghttp2_session_mem_send(session_, &bytes);
    if (size <= 0) return;
    out_.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  }
}

/// True: the socket took something.
bool H2Session::send() {
  if (over_ || half_closed_) return false;
  fill_out();
  if (out_.empty()) return false;
  const int size = SSL_write(ssl_, out_.data(), static_cast<int>(out_.size()));
  if (size <= 0) {
    over_ = SSL_get_error(ssl_, size) != SSL_ERROR_WANT_WRITE;
    return false;
  }
  out_.erase(0, static_cast<std::size_t>(size));
  events_.on_sent(static_cast<std::size_t>(size));
  return true;
}

bool H2Session::advance() {
  bool any = false;
  std::vector<int> ids;
  for (const auto& [id, stream] : streams_) ids.push_back(id);
  for (const int id : ids) {
    const auto found = streams_.find(id);
    if (found != streams_.end()) any = advance(id, found->second) || any;
  }
  return any;
}

bool H2Session::advance(int id, Stream& stream) {
  if (!stream.asked || stream.step == stream.script.steps().size()) return false;
  if (stream.taken < stream.pending.size() || !out_.empty()) return false;
  if (nghttp2_session_want_write(session_) != 0 && stream.step != 0) return false;
  const H2Script::Step& step = stream.script.steps()[stream.step];
  if (step.kind == H2Script::Step::Kind::wait && !is_open(step.gate)) return false;
  ++stream.step;
  return play(id, stream, step);
}

bool H2Session::play(int id, Stream& stream, const H2Script::Step& step) {
  using Kind = H2Script::Step::Kind;
  switch (step.kind) {
    case Kind::interim:
    case Kind::head:
      submit_head(id, step);
      break;
    case Kind::data:
    case Kind::end:
      stream.pending = step.bytes;
      stream.taken = 0;
      stream.ended = step.kind == Kind::end;
      nghttp2_session_resume_data(session_, id);
      break;
    case Kind::wait:
      break;
    case Kind::reset:
      nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, step.code);
      break;
    case Kind::goaway:
      nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, step.served ? id : 0, step.code, nullptr,
                            0);
      break;
    case Kind::close:
      half_closed_ = true;
      ::shutdown(fd_, SHUT_WR);
      break;
  }
  return true;
}

void H2Session::submit_head(int id, const H2Script::Step& step) {
  const Header status{":status", std::to_string(step.code)};
  std::vector<nghttp2_nv> fields{field_of(status)};
  for (const Header& field : step.fields) fields.push_back(field_of(field));
  if (step.kind == H2Script::Step::Kind::interim) {
    nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, id, nullptr, fields.data(), fields.size(),
                           nullptr);
    return;
  }
  const nghttp2_data_provider body{{}, &Callbacks::body};
  nghttp2_submit_response(session_, id, fields.data(), fields.size(), &body);
}

void H2Session::wait(const Gate& stop) {
  const bool writes = !out_.empty() && !half_closed_;
  std::vector<pollfd> fds{{fd_, static_cast<short>(writes ? POLLIN | POLLOUT : POLLIN), 0},
                          {stop.fd(), POLLIN, 0}};
  for (const auto& [id, stream] : streams_) {
    if (!stream.asked || stream.step == stream.script.steps().size()) continue;
    const H2Script::Step& step = stream.script.steps()[stream.step];
    const bool waits =
        step.kind == H2Script::Step::Kind::wait && stream.taken == stream.pending.size();
    if (waits && !writes) fds.push_back({step.gate.fd(), POLLIN, 0});
  }
  ::poll(fds.data(), fds.size(), -1);
}

}  // namespace llmroute::test
