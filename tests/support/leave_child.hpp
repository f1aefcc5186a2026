/// The end of a forked child: without destructors and exit handlers, which are the parent's, but
/// not without what it has covered.
#pragma once

#include <unistd.h>

#ifdef LLMROUTE_COVERAGE
extern "C" void __gcov_dump();
#endif

namespace llmroute::test {

[[noreturn]] inline void leave_child(bool good) {
#ifdef LLMROUTE_COVERAGE
  __gcov_dump();
#endif
  ::_exit(good ? 0 : 1);
}

}  // namespace llmroute::test
