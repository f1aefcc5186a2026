/// One buffer, and whose it is.
#include "gather.hpp"

#include "connection.hpp"

namespace http {

std::string& Gather::of(Connection& connection) {
  if (owner_ != &connection) send();
  return bytes_;
}

void Gather::drop(const Connection& connection) noexcept {
  if (owner_ == &connection) clear();
}

void Gather::clear() noexcept {
  owner_ = nullptr;
  bytes_.clear();
}

void Gather::send() {
  if (owner_ != nullptr) owner_->send_gathered();
}

}  // namespace http
