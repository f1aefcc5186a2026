/// Where answers are put together before they are sent. Pieces that come during one turn of the
/// program's loop are sent by one write when it ends: events that arrived together leave together,
/// and one that came alone waits for nothing.
#pragma once

#include <string>

namespace http {

class Connection;

/// One a server; not thread safe. All connections share its buffer: when another comes along, what
/// waits is sent.
class Gather {
 public:
  Gather() = default;
  Gather(const Gather&) = delete;
  Gather& operator=(const Gather&) = delete;

  /// Runs `turn` and then sends what came of it.
  template <class F>
  void during(F&& turn) {
    waits_ = true;
    turn();
    waits_ = false;
    send();
  }

  /// A turn is under way.
  bool waits() const noexcept { return waits_; }

  /// The buffer, with what waits for `connection`. After filling it, keep() or clear().
  std::string& of(Connection& connection);

  /// What is in the buffer may wait for the turn's end.
  void keep(Connection& connection) noexcept { owner_ = &connection; }

  void clear() noexcept;

  /// Nothing waits for `connection` any more.
  void drop(const Connection& connection) noexcept;

 private:
  void send();

  bool waits_ = false;
  Connection* owner_ = nullptr;
  std::string bytes_{};
};

}  // namespace http
