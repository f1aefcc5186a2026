/// A small seeded generator: passed in wherever chance is wanted, so that a failure can be
/// repeated.
#pragma once

#include <cstdint>
#include <utility>

namespace llmroute {

/// splitmix64 (Steele, Lea and Flood, 2014): 64 bits of state, passes BigCrush, a few instructions
/// a draw. Not for secrets. Not thread safe: one per loop.
class Rng {
 public:
  using result_type = std::uint64_t;
  explicit Rng(std::uint64_t seed) noexcept : state_(seed) {}

  static constexpr std::uint64_t min() noexcept { return 0; }
  static constexpr std::uint64_t max() noexcept { return ~std::uint64_t{0}; }

  std::uint64_t operator()() noexcept {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  /// Uniform in [0, n); n > 0. Multiply-shift (Lemire, 2019): the bias is below n / 2^32.
  std::uint32_t below(std::uint32_t n) noexcept {
    return static_cast<std::uint32_t>(((operator()() >> 32) * n) >> 32);
  }

  /// Uniform in [0, 1).
  double unit() noexcept { return static_cast<double>(operator()() >> 11) * 0x1.0p-53; }

  /// Two different numbers in [0, n); n >= 2.
  std::pair<std::uint32_t, std::uint32_t> two_distinct(std::size_t n) noexcept {
    const auto count = static_cast<std::uint32_t>(n);
    const std::uint32_t a = below(count);
    const std::uint32_t b = below(count - 1);
    return {a, b < a ? b : b + 1};
  }

 private:
  std::uint64_t state_;
};

}  // namespace llmroute
