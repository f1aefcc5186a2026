/// Lets what comes for callers during one turn of the loop leave when the turn ends: events that
/// came together by one write, and the writes for all callers in a row, so that a caller's process
/// is not woken for each. Nothing waits longer: the turn's end is before the loop blocks.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

namespace http {

class Connection;

/// One a server; not thread safe.
class Gather {
 public:
  explicit Gather(boost::asio::io_context& context) noexcept : context_(context) {}
  Gather(const Gather&) = delete;
  Gather& operator=(const Gather&) = delete;

  /// Runs a part of the loop's turn that may bring something for callers.
  template <class F>
  void during(F&& part) {
    waits_ = true;
    part();
    waits_ = false;
  }

  /// Such a part is under way.
  bool waits() const noexcept { return waits_; }

  /// `connection` has something to send when the turn ends.
  void list(std::shared_ptr<Connection> connection);

  /// Buffers go from hand to hand, so that a connection that is silent has none.
  void lend(std::string& buffer);
  void take_back(std::string& buffer);

 private:
  void send_all();

  boost::asio::io_context& context_;
  bool waits_ = false;
  std::vector<std::shared_ptr<Connection>> listed_{};
  std::vector<std::shared_ptr<Connection>> sending_{};
  std::vector<std::string> buffers_{};
};

}  // namespace http
