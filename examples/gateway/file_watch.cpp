/// Reads the file at every look: it is small, and looks are seconds apart.
#include "file_watch.hpp"

#include "source.hpp"

namespace gateway {
namespace {

/// One that cannot be read is known by its reason.
std::size_t fingerprint_of_file(const llmroute::Result<std::string>& text) {
  return text ? fingerprint_of(*text) : fingerprint_of(text.error().message) + 1;
}

}  // namespace

FileWatch::FileWatch(std::string path, std::size_t fingerprint)
    : path_(std::move(path)), known_(fingerprint), last_(fingerprint) {}

Seen FileWatch::look() {
  const std::size_t now = fingerprint_of_file(read_file(path_));
  const bool settled = now == last_;
  last_ = now;
  if (now == known_) return Seen::same;
  return settled ? Seen::changed : Seen::unsettled;
}

llmroute::Result<std::string> FileWatch::take() {
  auto text = read_file(path_);
  known_ = last_ = fingerprint_of_file(text);
  return text;
}

}  // namespace gateway
