#include "meter.hpp"

#include <cstdio>
#include <ctime>

namespace bench {
namespace {

double cpu_microseconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

}  // namespace

void Meter::count_call() {
  if (done_++ == warm_) cpu_start_ = cpu_microseconds();
}

int Meter::report() const {
  const double spent = cpu_microseconds() - cpu_start_;
  std::printf(R"({"calls": %ld, "chunks": %ld, "failures": %ld, "us_per_call": %.3f})"
              "\n",
              done_, chunks_, failures_, spent / static_cast<double>(calls_ - warm_ - 1));
  return failures_ == 0 ? 0 : 1;
}

}  // namespace bench
