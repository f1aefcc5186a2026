/// A gate that a test opens: server threads wait at it without sleeping, and still notice when
/// their peer goes.
#pragma once

#include <memory>

namespace llmroute::test {

/// Copies are the same gate. Any thread.
class Gate {
 public:
  Gate();

  /// Lets through who waits, and all who come later.
  void open() const;

  /// A descriptor that is readable once the gate is open.
  int fd() const noexcept;

 private:
  struct Event;
  std::shared_ptr<Event> event_;
};

}  // namespace llmroute::test
