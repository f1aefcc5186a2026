/// The list of those who have something to send, and spare buffers.
#include "gather.hpp"

#include <utility>

#include "connection.hpp"

namespace http {
namespace {

constexpr std::size_t smallest_buffer = 1024;
constexpr std::size_t largest_buffer = 32 * 1024;

}  // namespace

void Gather::lend(std::string& buffer) {
  if (buffers_.empty()) return buffer.reserve(smallest_buffer);
  buffer = std::move(buffers_.back());
  buffers_.pop_back();
}

void Gather::take_back(std::string& buffer) noexcept {
  std::string spare = std::exchange(buffer, {});
  const bool odd = spare.capacity() < smallest_buffer || spare.capacity() > largest_buffer;
  if (odd || buffers_.size() == most_buffers) return;
  spare.clear();
  buffers_.push_back(std::move(spare));
}

void Gather::send_all() noexcept {
  sending_.swap(listed_);
  for (const auto& connection : sending_) connection->send_gathered();
  sending_.clear();
}

}  // namespace http
