/// A place in an intrusive list. It leaves its list when it is destroyed, so nothing that is gone
/// can ever be reached through one: a destroyed coroutine is never resumed, a destroyed call never
/// reaped.
#pragma once

namespace llmroute::net {

/// A ring: the list's head is a Link as well. Not thread safe; neither copied nor moved, as its
/// neighbours point to it.
struct Link {
  Link() = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link() { unlink(); }

  /// In a list; for a head: the list is not empty.
  bool linked() const noexcept { return next != this; }

  void unlink() noexcept {
    prev->next = next;
    next->prev = prev;
    prev = next = this;
  }

  /// Called on a head: makes `link` the last of this list, taking it out of the one it was in.
  void push_back(Link& link) noexcept {
    link.unlink();
    link.prev = prev;
    link.next = this;
    prev->next = &link;
    prev = &link;
  }

  Link* prev = this;
  Link* next = this;
};

}  // namespace llmroute::net
