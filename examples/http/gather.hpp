/// Lets what comes for callers during one turn of the loop leave when the turn ends: events that
/// came together by one write, and the writes for all callers in a row, so that a caller's process
/// is not woken for each. Nothing waits longer: when the turn ends, the loop has not waited yet.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace http {

class Connection;

/// One a server; not thread safe.
class Gather {
 public:
  Gather() { buffers_.reserve(most_buffers); }  // so that taking one back cannot fail
  Gather(const Gather&) = delete;
  Gather& operator=(const Gather&) = delete;

  /// Runs a turn of the loop, and sends what came of it.
  template <class F>
  void during(F&& turn) {
    waits_ = true;
    try {
      turn();
    } catch (...) {
      end_turn();
      throw;
    }
    end_turn();
  }

  /// A turn is under way.
  bool waits() const noexcept { return waits_; }

  /// `connection` has something to send when the turn ends.
  void list(std::shared_ptr<Connection> connection) { listed_.push_back(std::move(connection)); }

  /// Buffers go from hand to hand, so that a connection that is silent has none.
  void lend(std::string& buffer);
  void take_back(std::string& buffer) noexcept;

 private:
  static constexpr std::size_t most_buffers = 256;

  void end_turn() noexcept {
    waits_ = false;
    if (!listed_.empty()) send_all();
  }
  void send_all() noexcept;

  bool waits_ = false;
  std::vector<std::shared_ptr<Connection>> listed_{};
  std::vector<std::shared_ptr<Connection>> sending_{};
  std::vector<std::string> buffers_{};
};

}  // namespace http
