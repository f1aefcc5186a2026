/// Makes the n-th allocation, or the n-th system call of a kind that can fail, fail: on the thread
/// that asks for it and nowhere else, so that what a test counts is the same in every run.
///
/// The program that links failing.cpp and failing_calls.cpp has its own operator new, `malloc`,
/// allocation functions of libcurl and socket calls; without a FailNth they only hand over.
#pragma once

namespace llmroute::test {

enum class Failing { allocations, curl_allocations, system_calls };
enum class HowOften { once, from_then_on };

/// While it lives, the n-th of this thread fails. One a thread at a time.
class FailNth {
 public:
  FailNth(Failing what, HowOften how_often, long nth) noexcept;
  ~FailNth();
  FailNth(const FailNth&) = delete;
  FailNth& operator=(const FailNth&) = delete;

  /// It has come to the n-th.
  bool failed() const noexcept { return failed_; }

  /// Whether what is about to be done is to fail. Counts.
  static bool fails(Failing what) noexcept;

 private:
  Failing what_;
  HowOften how_often_;
  long left_;
  bool failed_ = false;
};

/// While it lives, what this thread does neither counts nor fails: for the test's own work within a
/// call.
class Unharmed {
 public:
  Unharmed() noexcept;
  ~Unharmed();
  Unharmed(const Unharmed&) = delete;
  Unharmed& operator=(const Unharmed&) = delete;

 private:
  FailNth* outer_;
};

}  // namespace llmroute::test
