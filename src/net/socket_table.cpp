/// The difference between what libcurl wants watched and what is.
#include "net/socket_table.hpp"

namespace llmroute::net {

SocketTable::Entry& SocketTable::at(int fd) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= entries_.size()) entries_.resize(index + 1);
  return entries_[index];
}

void SocketTable::opened(int fd) {
  Entry& entry = at(fd);
  entry.is_connection = false;
  if (entry.watched != Interest::none) reactor_.watch(fd, Interest::none);
  entry.watched = Interest::none;
  list_if_changed(
      fd, entry);  // the next of several addresses got the number: libcurl sees no change to tell
}

void SocketTable::closing(int fd) {
  Entry& entry = at(fd);
  entry.wanted = Interest::none;
  entry.is_connection = false;
  apply(fd, entry);
}

void SocketTable::want(int fd, Interest interest) {
  Entry& entry = at(fd);
  entry.wanted = interest;
  if (interest == Interest::none && !entry.is_connection) return apply(fd, entry);
  list_if_changed(fd, entry);
}

void SocketTable::list_if_changed(int fd, Entry& entry) {
  if (entry.listed || entry.wanted == entry.watched) return;
  changed_.push_back(fd);
  entry.listed = true;
}

bool SocketTable::wanted(int fd) {
  Entry& entry = at(fd);
  if (entry.wanted != Interest::none) return true;
  apply(fd, entry);
  return false;
}

void SocketTable::flush() {
  for (const int fd : changed_) {
    Entry& entry = at(fd);
    entry.listed = false;
    // Idle, and watched for reading only: left as it is. Nothing comes unless the peer closes, or
    // the next request is on.
    if (entry.wanted == Interest::none && entry.watched == Interest::read) continue;
    apply(fd, entry);
  }
  changed_.clear();
}

void SocketTable::apply(int fd, Entry& entry) {
  if (entry.wanted == entry.watched) return;
  entry.watched = entry.wanted;
  reactor_.watch(fd, entry.wanted);
}

}  // namespace llmroute::net
