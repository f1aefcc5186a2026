/// Why a request is refused before any program sees it.
#pragma once

#include <string_view>

namespace http {

/// `status` 0: nothing is wrong. The text is constant and says what the sender has to change.
struct Fault {
  int status = 0;
  std::string_view text{};
  explicit operator bool() const noexcept { return status != 0; }
};

}  // namespace http
