/// One thread accepts, one serves each connection.
#include "support/h2_upstream.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <list>
#include <mutex>
#include <string_view>
#include <thread>

#include "support/connection.hpp"
#include "support/h2_session.hpp"
#include "support/tls_identity.hpp"

namespace llmroute::test {

struct H2Upstream::Shared {
  struct Peer {
    int fd = -1;
    bool over = false;
    std::thread thread{};
  };

  Handler handler;
  SSL_CTX* context;
  Listener listener{};
  Gate stop{};
  std::thread acceptor{};
  mutable std::mutex mutex{};
  mutable std::condition_variable changed{};
  std::list<Peer> peers{};
  std::vector<SeenRequest> requests{};
  std::string offered{};
  int accepted = 0;
  int closed = 0;
  std::atomic<std::size_t> sent{0};

  void accept_all();
  void serve(Peer& peer, int number);
  void speak(SSL* ssl, int number);
  H2Script answer(SeenRequest request, int number);

  template <class F>
  void note(F&& change) {
    {
      const std::lock_guard lock(mutex);
      change();
    }
    changed.notify_all();
  }
  template <class F>
  bool wait(F&& reached) const {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, ScriptedUpstream::patience, reached);
  }
};

namespace {

/// Takes h2 when it is offered; what was offered goes to the Shared behind `self`.
template <class Shared>
int choose(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
           const unsigned char* offered, unsigned size, void* self) {
  std::string names;
  bool found = false;
  for (unsigned at = 0; at < size; at += 1U + offered[at]) {
    const std::string_view name(reinterpret_cast<const char*>(offered + at + 1), offered[at]);
    if (!names.empty()) names += ' ';
    names += name;
    if (name != "h2") continue;
    found = true;
    *chosen = offered + at + 1;
    *chosen_size = offered[at];
  }
  auto* shared = static_cast<Shared*>(self);
  shared->note([&] { shared->offered = names; });
  return found ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace

void H2Upstream::Shared::accept_all() {
  while (const std::optional<int> fd = listener.accept(stop)) {
    note([&] {
      Peer& peer = peers.emplace_back();
      peer.fd = *fd;
      peer.thread = std::thread(&Shared::serve, this, std::ref(peer), ++accepted);
    });
  }
}

void H2Upstream::Shared::serve(Peer& peer, int number) {
  sigset_t broken_pipe;  // OpenSSL writes without MSG_NOSIGNAL
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  const int at_once = 1;
  const int small = 16 * 1024;
  ::setsockopt(peer.fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
  ::setsockopt(peer.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, peer.fd);
  if (SSL_accept(ssl) == 1) speak(ssl, number);
  SSL_free(ssl);
  note([&] {
    ::close(peer.fd);
    peer.over = true;
    ++closed;
  });
}

void H2Upstream::Shared::speak(SSL* ssl, int number) {
  const H2Events events{
      .on_request = [&](SeenRequest request) { return answer(std::move(request), number); },
      .on_sent = [&](std::size_t bytes) { sent += bytes; }};
  H2Session session(ssl, events);
  session.run(stop);
}

H2Script H2Upstream::Shared::answer(SeenRequest request, int number) {
  note([&] {
    request.connection = number;
    request.number = static_cast<int>(requests.size()) + 1;
    requests.push_back(request);
  });
  return handler(request);
}

H2Upstream::H2Upstream(Handler handler, const TlsIdentity& identity)
    : shared_(std::make_shared<Shared>(std::move(handler), identity.server_context())) {
  SSL_CTX_set_alpn_select_cb(identity.server_context(), &choose<Shared>, shared_.get());
  shared_->acceptor = std::thread(&Shared::accept_all, shared_.get());
}

H2Upstream::~H2Upstream() {
  shared_->stop.open();
  shared_->acceptor.join();
  drop_connections();
  for (Shared::Peer& peer : shared_->peers) peer.thread.join();
}

void H2Upstream::drop_connections() {
  int all = 0;
  {
    const std::lock_guard lock(shared_->mutex);
    all = shared_->accepted;
    for (Shared::Peer& peer : shared_->peers) {
      if (!peer.over) ::shutdown(peer.fd, SHUT_RDWR);
    }
  }
  wait_for_closed(all);
}

std::string H2Upstream::url(const std::string& path) const {
  return "https://127.0.0.1:" + std::to_string(shared_->listener.port()) + path;
}

std::vector<SeenRequest> H2Upstream::requests() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->requests;
}

int H2Upstream::request_count() const { return static_cast<int>(requests().size()); }

int H2Upstream::connections() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->accepted;
}

std::string H2Upstream::offered() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->offered;
}

std::size_t H2Upstream::bytes_sent() const { return shared_->sent.load(); }

bool H2Upstream::wait_for_closed(int connections) const {
  return shared_->wait([&] { return shared_->closed >= connections; });
}

std::size_t H2Upstream::wait_until_stuck() const {
  for (std::size_t seen = bytes_sent();;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const std::size_t now = bytes_sent();
    if (now == seen) return now;
    seen = now;
  }
}

}  // namespace llmroute::test
