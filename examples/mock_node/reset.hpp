/// Ends a connection with RST instead of FIN, as the kernel does for a process that was killed.
#pragma once

#include "http/handler.hpp"

namespace mock {

void reset(http::Responder& responder);

}  // namespace mock
