/// One of each object of the interface, for tests that hand over the wrong one or the wrong thing.
#pragma once

#include "capi/capi_fixture.hpp"

namespace llmroute::test {

inline constexpr llmroute_status invalid = LLMROUTE_INVALID_ARGUMENT;

/// A whole set of objects, some of which a test passes where others belong.
struct Objects {
  ScriptedUpstream node{answer(200, chat_completion("x"))};
  OwnedRouter router = router_for(node);
  OwnedLoop loop = new_loop();
};

}  // namespace llmroute::test
