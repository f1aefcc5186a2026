/// What came of the rows, for the page: one line of JSON each, appended to the file that
/// LLMROUTE_RELIABILITY names.
#pragma once

#include <string>

namespace llmroute::test {

/// One mode of one row, in words.
struct FaultRecord {
  std::string area{};
  std::string fault{};
  std::string mode{};
  std::string outcome{};
  std::string attempts{};
  std::string time{};
  std::string alone{};    ///< with no other node
  std::string charged{};  ///< who bears the failure
};

/// Does nothing when the variable is not set.
void append(const FaultRecord& record);

}  // namespace llmroute::test
