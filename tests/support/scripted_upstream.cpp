/// One thread accepts, one serves each connection; all that was seen is under one lock.
#include "support/scripted_upstream.hpp"

#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <list>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "support/connection.hpp"

namespace llmroute::test {

struct ScriptedUpstream::Shared {
  explicit Shared(Handler given, const TlsIdentity* identity)
      : handler(std::move(given)), tls(identity) {}

  struct Peer {
    int fd = -1;
    bool idle = false;   // waits for its next request
    bool asked = false;  // has one that counts as under way
    bool over = false;
    std::thread thread{};
  };

  Handler handler;
  const TlsIdentity* tls;
  Listener listener{};
  Gate stop{};
  Gate pause{};  // for the acceptor alone
  std::atomic<Greeting> greeting{Greeting::serve};
  std::thread acceptor{};
  mutable std::mutex mutex{};
  mutable std::condition_variable changed{};
  std::list<Peer> peers{};
  std::vector<SeenRequest> requests{};
  int accepted = 0;
  int closed = 0;
  int gone = 0;
  std::atomic<std::size_t> sent{0};
  int under_way = 0;
  int most_at_once = 0;

  void accept_all();
  void serve(Peer& peer, int number);
  bool greeted(Connection& connection);
  std::optional<SeenRequest> next_request(Connection& connection, Peer& peer, int number);
  bool play(Connection& connection, Peer& peer, const Script& script);
  void end_request(Peer& peer);
  template <class F>
  void note(F&& change) {
    {
      const std::lock_guard lock(mutex);
      change();
    }
    changed.notify_all();
  }
  template <class F>
  bool wait(std::chrono::milliseconds most, F&& reached) const {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, most, reached);
  }
};

void ScriptedUpstream::Shared::accept_all() {
  while (const std::optional<int> fd = listener.accept(pause)) {
    note([&] {
      Peer& peer = peers.emplace_back();
      peer.fd = *fd;
      peer.thread = std::thread(&Shared::serve, this, std::ref(peer), ++accepted);
    });
  }
}

void ScriptedUpstream::Shared::serve(Peer& peer, int number) {
  sigset_t broken_pipe;  // OpenSSL writes without MSG_NOSIGNAL
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  Connection connection(peer.fd, tls);
  bool serving = connection.good() && greeted(connection);
  while (serving) {
    const std::optional<SeenRequest> request = next_request(connection, peer, number);
    serving = request && play(connection, peer, handler(*request));
    if (request) end_request(peer);
  }
  note([&] {  // closed under the lock: nobody may shut down a descriptor whose number is used again
    connection.close();
    peer.over = true;
    ++closed;
  });
}

/// False: that was all.
bool ScriptedUpstream::Shared::greeted(Connection& connection) {
  switch (greeting.load()) {
    case Greeting::serve:
      return true;
    case Greeting::reset:
      return connection.reset_at_close(), false;
    case Greeting::plain_http:
      connection.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", sent);
      break;
    case Greeting::silence:
      break;
  }
  return connection.wait(-1, stop.fd()), false;
}

std::optional<SeenRequest> ScriptedUpstream::Shared::next_request(Connection& connection,
                                                                  Peer& peer, int number) {
  note([&] { peer.idle = true; });
  std::optional<SeenRequest> request = connection.read_request();
  note([&] {
    peer.idle = false;
    if (!request) return;
    request->connection = number;
    request->number = static_cast<int>(requests.size()) + 1;
    requests.push_back(*request);
    peer.asked = true;
    most_at_once = std::max(most_at_once, ++under_way);
  });
  return request;
}

/// Before the last bytes leave: once they have, the peer may ask again before this thread goes on.
void ScriptedUpstream::Shared::end_request(Peer& peer) {
  note([&] {
    if (std::exchange(peer.asked, false)) --under_way;
  });
}

/// False: the connection is over.
bool ScriptedUpstream::Shared::play(Connection& connection, Peer& peer, const Script& script) {
  using Kind = Script::Step::Kind;
  for (const Script::Step& step : script.steps()) {
    bool there = true;
    if (&step == &script.steps().back()) end_request(peer);
    switch (step.kind) {
      case Kind::send:
        there = connection.send(step.bytes, sent);
        break;
      case Kind::wait:
        there = connection.wait(step.gate.fd(), stop.fd());
        break;
      case Kind::pause:
        there = connection.wait(-1, stop.fd(), static_cast<int>(step.time.count()));
        break;
      case Kind::hang:
        there = connection.wait(-1, stop.fd());
        break;
      case Kind::close:
        return false;
      case Kind::reset:
        return connection.reset_at_close(), false;
    }
    if (!there) return note([&] { ++gone; }), false;
  }
  return true;
}

ScriptedUpstream::ScriptedUpstream(Handler handler, const TlsIdentity* tls)
    : shared_(std::make_shared<Shared>(std::move(handler), tls)) {
  shared_->acceptor = std::thread(&Shared::accept_all, shared_.get());
}

namespace {

ScriptedUpstream::Handler in_order(std::vector<Script> scripts) {
  return [scripts = std::move(scripts)](const SeenRequest& request) {
    const auto index = static_cast<std::size_t>(request.number) - 1;
    return scripts[std::min(index, scripts.size() - 1)];
  };
}

}  // namespace

ScriptedUpstream::ScriptedUpstream(std::vector<Script> scripts)
    : ScriptedUpstream(in_order(std::move(scripts))) {}

ScriptedUpstream::~ScriptedUpstream() {
  stop_listening();
  drop_connections();
  for (Shared::Peer& peer : shared_->peers) peer.thread.join();
}

void ScriptedUpstream::stop_listening() {
  shared_->stop.open();
  refuse();
}

void ScriptedUpstream::refuse() {
  shared_->pause.open();
  if (shared_->acceptor.joinable()) shared_->acceptor.join();
  shared_->listener.close();
}

void ScriptedUpstream::listen_again() {
  shared_->pause = Gate();
  shared_->listener.listen_again();
  shared_->acceptor = std::thread(&Shared::accept_all, shared_.get());
}

void ScriptedUpstream::greet(Greeting greeting) { shared_->greeting = greeting; }

void ScriptedUpstream::drop_connections() {
  const std::lock_guard lock(shared_->mutex);
  for (Shared::Peer& peer : shared_->peers) {
    if (!peer.over) ::shutdown(peer.fd, SHUT_RDWR);
  }
}

bool ScriptedUpstream::wait_until_quiet(std::chrono::milliseconds most) const {
  return shared_->wait(most, [&] {
    return std::all_of(shared_->peers.begin(), shared_->peers.end(),
                       [](const Shared::Peer& peer) { return peer.over || peer.idle; });
  });
}

void ScriptedUpstream::close_idle() {
  int expected = 0;
  // The client may have read an answer before the thread that wrote it is back for the next
  // request.
  wait_until_quiet();
  {
    const std::lock_guard lock(shared_->mutex);
    expected = shared_->closed;
    for (Shared::Peer& peer : shared_->peers) {
      if (peer.over || !peer.idle) continue;
      ::shutdown(peer.fd, SHUT_RDWR);
      ++expected;
    }
  }
  wait_for_closed(expected);
}

std::string ScriptedUpstream::url(const std::string& path) const {
  return (shared_->tls != nullptr ? "https://127.0.0.1:" : "http://127.0.0.1:") +
         std::to_string(port()) + path;
}

int ScriptedUpstream::port() const noexcept { return shared_->listener.port(); }

std::vector<SeenRequest> ScriptedUpstream::requests() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->requests;
}

int ScriptedUpstream::request_count() const {
  const std::lock_guard lock(shared_->mutex);
  return static_cast<int>(shared_->requests.size());
}

int ScriptedUpstream::connections() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->accepted;
}

int ScriptedUpstream::gone() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->gone;
}

int ScriptedUpstream::most_at_once() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->most_at_once;
}

std::size_t ScriptedUpstream::bytes_sent() const { return shared_->sent.load(); }

bool ScriptedUpstream::wait_for_requests(int count, std::chrono::milliseconds most) const {
  return shared_->wait(most, [&] { return static_cast<int>(shared_->requests.size()) >= count; });
}

bool ScriptedUpstream::wait_for_gone(int count, std::chrono::milliseconds most) const {
  return shared_->wait(most, [&] { return shared_->gone >= count; });
}

bool ScriptedUpstream::wait_for_closed(int connections, std::chrono::milliseconds most) const {
  return shared_->wait(most, [&] { return shared_->closed >= connections; });
}

std::size_t ScriptedUpstream::wait_until_stuck() const {
  for (std::size_t seen = bytes_sent();;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const std::size_t now = bytes_sent();
    if (now == seen) return now;
    seen = now;
  }
}

int refused_port() {
  Listener listener;
  const int port = listener.port();
  listener.close();
  return port;
}

}  // namespace llmroute::test
