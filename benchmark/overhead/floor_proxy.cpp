/// The cheapest proxy there can be on libcurl: what a gateway's costs are compared with. It passes
/// bodies on and parses nothing but where messages end.
///
///     bench_floor_proxy NODE_PORT
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "message.hpp"
#include "multi_driver.hpp"
#include "socket.hpp"

namespace {

class Proxy;

/// A client's connection, with the easy handle that asks the node on its behalf.
struct Connection {
  Proxy* proxy;
  int fd;
  CURL* easy;
  std::string in{};
  std::string question{};
  std::string answer{};  ///< of this turn, not yet sent
  bench::Outbox out{};
  bool answering = false;  ///< the head is made
  bool chunked = false;
  bool marked = false;  ///< among those with an answer to send
};

std::string hex(std::size_t number) {
  char digits[20];
  return {digits, static_cast<std::size_t>(std::snprintf(digits, sizeof digits, "%zx", number))};
}

class Proxy {
 public:
  explicit Proxy(int node_port)
      : url_("http://127.0.0.1:" + std::to_string(node_port) + "/v1/chat/completions"),
        headers_(curl_slist_append(nullptr, "Content-Type: application/json")) {
    std::printf("listening on http://127.0.0.1:%d\n", bench::port_of(listener_));
    std::fflush(stdout);
    driver_.poller().add(listener_, nullptr);
  }

  [[noreturn]] void run() {
    for (;;) {
      driver_.turn([this](const epoll_event& event) {
        if (event.data.ptr == nullptr)
          accept_all();
        else
          on_ready(*static_cast<Connection*>(event.data.ptr), event.events);
      });
      finish_transfers();
      send_answers();
    }
  }

 private:
  void accept_all() {
    for (int fd = bench::accept_from(listener_); fd >= 0; fd = bench::accept_from(listener_)) {
      auto* connection = new Connection{this, fd, curl_easy_init()};
      curl_easy_setopt(connection->easy, CURLOPT_URL, url_.c_str());
      curl_easy_setopt(connection->easy, CURLOPT_HTTPHEADER, headers_);
      curl_easy_setopt(connection->easy, CURLOPT_NOSIGNAL, 1L);
      curl_easy_setopt(connection->easy, CURLOPT_PRIVATE, connection);
      curl_easy_setopt(connection->easy, CURLOPT_WRITEDATA, connection);
      curl_easy_setopt(connection->easy, CURLOPT_WRITEFUNCTION, &on_body);
      driver_.poller().add(fd, connection);
    }
  }

  void on_ready(Connection& connection, std::uint32_t events) {
    if ((events & EPOLLOUT) != 0) send(connection, {});
    if ((events & EPOLLIN) == 0) return;
    if (!bench::receive(connection.fd, connection.in)) return drop(connection);
    const auto message = bench::first_message(connection.in);
    if (!message) return;
    connection.question = message->body;
    connection.in.erase(0, message->length);
    connection.answering = false;
    curl_easy_setopt(connection.easy, CURLOPT_POSTFIELDS, connection.question.data());
    curl_easy_setopt(connection.easy, CURLOPT_POSTFIELDSIZE,
                     static_cast<long>(connection.question.size()));
    curl_multi_add_handle(multi_, connection.easy);
  }

  static std::size_t on_body(char* bytes, std::size_t, std::size_t count, void* connection) {
    auto& asked = *static_cast<Connection*>(connection);
    asked.proxy->pass_on(asked, {bytes, count});
    return count;
  }

  void pass_on(Connection& connection, std::string_view bytes) {
    if (!connection.answering) start_answer(connection);
    if (connection.chunked) connection.answer.append(hex(bytes.size())).append("\r\n");
    connection.answer.append(bytes);
    if (connection.chunked) connection.answer.append("\r\n");
    mark(connection);
  }

  void start_answer(Connection& connection) {
    long status = 0;
    curl_off_t length = -1;
    const char* type = nullptr;
    curl_easy_getinfo(connection.easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(connection.easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    curl_easy_getinfo(connection.easy, CURLINFO_CONTENT_TYPE, &type);
    connection.answering = true;
    connection.chunked = length < 0;
    connection.answer.append("HTTP/1.1 ").append(std::to_string(status)).append(" OK\r\n");
    if (type != nullptr) connection.answer.append("Content-Type: ").append(type).append("\r\n");
    if (connection.chunked) {
      connection.answer.append("Transfer-Encoding: chunked\r\n\r\n");
    } else {
      connection.answer.append("Content-Length: ")
          .append(std::to_string(length))
          .append("\r\n\r\n");
    }
  }

  void mark(Connection& connection) {
    if (!std::exchange(connection.marked, true)) marked_.push_back(&connection);
  }

  void finish_transfers() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      Connection* connection = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &connection);
      const bool whole = message->data.result == CURLE_OK;
      curl_multi_remove_handle(multi_, connection->easy);
      if (!whole) {
        drop(*connection);
      } else if (connection->chunked) {
        connection->answer.append("0\r\n\r\n");
        mark(*connection);
      }
    }
  }

  void send_answers() {
    for (Connection* connection : marked_) {
      connection->marked = false;
      send(*connection, connection->answer);
      connection->answer.clear();
    }
    marked_.clear();
  }

  /// Without bytes: what was kept.
  void send(Connection& connection, std::string_view bytes) {
    if (bytes.empty()) {
      connection.out.flush(connection.fd);
      if (connection.out.empty()) driver_.poller().change(connection.fd, &connection, EPOLLIN);
      return;
    }
    connection.out.send(connection.fd, bytes);
    if (!connection.out.empty())
      driver_.poller().change(connection.fd, &connection, EPOLLIN | EPOLLOUT);
  }

  void drop(Connection& connection) {
    curl_multi_remove_handle(multi_, connection.easy);
    curl_easy_cleanup(connection.easy);
    std::erase(marked_, &connection);
    close(connection.fd);
    delete &connection;
  }

  const std::string url_;
  curl_slist* const headers_;
  CURLM* const multi_ = (curl_global_init(CURL_GLOBAL_ALL), curl_multi_init());
  const int listener_ = bench::listen_on_loopback();
  bench::MultiDriver driver_{multi_};
  std::vector<Connection*> marked_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s NODE_PORT\n", argv[0]);
    return 2;
  }
  Proxy(std::atoi(argv[1])).run();
}
