#include "faults/fault_record.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>

namespace llmroute::test {

void append(const FaultRecord& record) {
  const char* path = std::getenv("LLMROUTE_RELIABILITY");
  if (path == nullptr) return;
  std::ofstream(path, std::ios::app) << fmt::format(
      R"({{"area":"{}","fault":"{}","mode":"{}","outcome":"{}","attempts":"{}","time":"{}","alone":"{}","charged":"{}"}})"
      "\n",
      record.area, record.fault, record.mode, record.outcome, record.attempts, record.time,
      record.alone, record.charged);
}

}  // namespace llmroute::test
