#include <llmroute/version.hpp>

#define LLMROUTE_TEXT_OF(x) #x
#define LLMROUTE_TEXT(x) LLMROUTE_TEXT_OF(x)

namespace llmroute {

const char* version() noexcept {
  return LLMROUTE_TEXT(LLMROUTE_VERSION_MAJOR) "." LLMROUTE_TEXT(
      LLMROUTE_VERSION_MINOR) "." LLMROUTE_TEXT(LLMROUTE_VERSION_PATCH);
}

}  // namespace llmroute
