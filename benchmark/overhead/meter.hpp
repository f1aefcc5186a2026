/// The CPU time a client takes, once its connections are warm.
#pragma once

namespace bench {

class Meter {
 public:
  explicit Meter(long calls) : calls_(calls), warm_(calls / 10) {}

  void count_call();
  void count_chunk() noexcept { ++chunks_; }
  void count_failure() noexcept { ++failures_; }

  bool finished() const noexcept { return done_ >= calls_; }

  /// One line of JSON; the exit code: 1 when a call failed.
  int report() const;

 private:
  long calls_;
  long warm_;  ///< calls before the clock starts
  long done_ = 0;
  long chunks_ = 0;
  long failures_ = 0;
  double cpu_start_ = 0;
};

}  // namespace bench
