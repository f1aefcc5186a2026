#include <llmroute/error.hpp>
#include <llmroute/version.hpp>  // with other numbers than llmroute.h this does not compile

#include "llmroute.h"

extern "C" {

const char* llmroute_version(void) { return llmroute::version(); }

int32_t llmroute_abi(void) { return LLMROUTE_ABI; }

const char* llmroute_status_name(llmroute_status status) {
  if (status == LLMROUTE_OK) return "ok";
  for (const llmroute::ErrorTraits& row : llmroute::error_table) {
    if (static_cast<llmroute_status>(row.code) == status) return row.name.data();
  }
  return "unknown";
}

}  // extern "C"
