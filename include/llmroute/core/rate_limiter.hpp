/// Who may ask how often, and for how many tokens: limits per subject, such as a key and a model.
/// A request reserves when it starts and settles when it ends, so that what is in flight counts.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <llmroute/core/rate_window.hpp>
#include <llmroute/core/spin_lock.hpp>
#include <llmroute/core/token_bucket.hpp>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>

namespace llmroute {

enum class RateAlgorithm { sliding_window, token_bucket };

struct RateLimits {
  RateLimit requests{};
  RateLimit tokens{};
  RateAlgorithm algorithm = RateAlgorithm::sliding_window;

  bool any() const noexcept { return requests.any() || tokens.any(); }
};

namespace detail {

/// What one subject has spent.
class RateAccount {
 public:
  explicit RateAccount(RateAlgorithm algorithm) : algorithm_(algorithm) {
    if (algorithm != RateAlgorithm::token_bucket) return;
    requests_ = TokenBucket();
    tokens_ = TokenBucket();
  }

  RateAlgorithm algorithm() const noexcept { return algorithm_; }

  template <class F>
  decltype(auto) requests(F&& f) {
    return std::visit(f, requests_);
  }
  template <class F>
  decltype(auto) tokens(F&& f) {
    return std::visit(f, tokens_);
  }

  SpinLock lock{};  ///< held around each of the two

 private:
  using Meter = std::variant<RateWindow, TokenBucket>;
  RateAlgorithm algorithm_;
  Meter requests_{};
  Meter tokens_{};
};

}  // namespace detail

/// What a request in flight has taken. Gives back on destruction what was not settled: the tokens
/// that were not spent and, when none were, the request. One thread at a time.
class RateReservation {
 public:
  RateReservation() noexcept = default;
  RateReservation(RateReservation&& other) noexcept { swap(other); }
  RateReservation& operator=(RateReservation&& other) noexcept {
    RateReservation(std::move(other)).swap(*this);
    return *this;
  }
  ~RateReservation() { give_back(); }

  /// So many tokens are spent by now, in all. More than was reserved counts at once.
  void progress(std::int64_t tokens, Time now) noexcept;

  /// The request has ended, with so many tokens in all.
  void settle(std::int64_t tokens, Time now) noexcept;

 private:
  friend class RateLimiter;
  RateReservation(std::shared_ptr<detail::RateAccount> account, std::int64_t tokens) noexcept
      : account_(std::move(account)), booked_(tokens), reserved_(tokens) {}
  void swap(RateReservation& other) noexcept;
  void give_back() noexcept;

  /// Takes what was reserved and is not needed from where it was booked.
  void lower_to(std::int64_t tokens) noexcept;

  std::shared_ptr<detail::RateAccount> account_{};
  std::int64_t booked_ = 0;    // tokens, in all
  std::int64_t reserved_ = 0;  // of these, those under token_mark_
  std::int64_t spent_ = 0;
  RateMark request_mark_ = 0;
  RateMark token_mark_ = 0;
};

/// The answer to a request that wants to start.
struct RateGrant {
  bool granted = false;
  RateReservation reservation{};
  RateStanding requests{};
  RateStanding tokens{};
  Duration retry_after{};  ///< of a refusal: when this request could start
};

/// Thread safe. Subjects are remembered until all they have spent is forgotten.
class RateLimiter {
 public:
  /// Asks for one request and `tokens`, both or none; a request that wants more tokens than the
  /// limit has starts when none are spent. Limits may differ from those of the last call.
  RateGrant reserve(std::string_view subject, const RateLimits& limits, std::int64_t tokens,
                    Time now);

  /// How many subjects are remembered.
  std::size_t size() const noexcept;

  /// In a forked child, before anything else: what was spent stays spent.
  void reset_after_fork() noexcept;

 private:
  using Account = detail::RateAccount;

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>()(text);
    }
  };
  struct Remembered {
    std::shared_ptr<Account> account{};
    RateLimits limits{};  // of the last call
  };
  struct Shard {
    mutable SpinLock lock{};
    std::unordered_map<std::string, Remembered, Hash, std::equal_to<>> subjects{};
    std::size_t sweep_at = 64;
  };

  std::shared_ptr<Account> account_of(std::string_view subject, const RateLimits& limits, Time now);
  static void sweep(Shard& shard, Time now);

  std::array<Shard, 16> shards_{};
};

inline void RateReservation::swap(RateReservation& other) noexcept {
  std::swap(account_, other.account_);
  std::swap(booked_, other.booked_);
  std::swap(reserved_, other.reserved_);
  std::swap(spent_, other.spent_);
  std::swap(request_mark_, other.request_mark_);
  std::swap(token_mark_, other.token_mark_);
}

inline void RateReservation::progress(std::int64_t tokens, Time now) noexcept {
  if (!account_ || tokens <= spent_) return;
  spent_ = tokens;
  if (tokens <= booked_) return;
  const std::lock_guard held(account_->lock);
  account_->tokens([&](auto& meter) { return meter.add(tokens - booked_, now); });
  booked_ = tokens;
}

inline void RateReservation::settle(std::int64_t tokens, Time now) noexcept {
  if (!account_) return;
  progress(tokens, now);
  lower_to(tokens);
  account_.reset();
}

inline void RateReservation::lower_to(std::int64_t tokens) noexcept {
  const std::int64_t back = std::min(booked_ - tokens, reserved_);
  if (back <= 0) return;
  const std::lock_guard held(account_->lock);
  account_->tokens([&](auto& meter) { meter.change(token_mark_, -back); });
}

inline void RateReservation::give_back() noexcept {
  if (!account_) return;
  lower_to(spent_);
  if (spent_ > 0) return;
  const std::lock_guard held(account_->lock);
  account_->requests([&](auto& meter) { meter.change(request_mark_, -1); });
}

inline RateGrant RateLimiter::reserve(std::string_view subject, const RateLimits& limits,
                                      std::int64_t tokens, Time now) {
  RateGrant grant;
  if (!limits.any()) {
    grant.granted = true;
    return grant;
  }
  std::shared_ptr<Account> account = account_of(subject, limits, now);
  const std::lock_guard held(account->lock);
  // A subject without one of the limits has its spending counted all the same, for the day it gets
  // one.
  const auto wait = [&](const RateLimit& limit, std::int64_t amount) {
    return [&limit, amount, now](auto& meter) {
      return limit.any() ? meter.fits_at(amount, limit, now) : now;
    };
  };
  const Time at = std::max(account->requests(wait(limits.requests, 1)),
                           account->tokens(wait(limits.tokens, tokens)));
  grant.granted = at <= now;
  grant.retry_after = at - now;
  if (grant.granted) {
    grant.reservation = RateReservation(account, tokens);
    grant.reservation.request_mark_ =
        account->requests([&](auto& meter) { return meter.add(1, now); });
    grant.reservation.token_mark_ =
        account->tokens([&](auto& meter) { return meter.add(tokens, now); });
  }
  const auto standing = [now](const RateLimit& limit) {
    return [&limit, now](auto& meter) { return meter.standing(limit, now); };
  };
  grant.requests = account->requests(standing(limits.requests));
  grant.tokens = account->tokens(standing(limits.tokens));
  return grant;
}

inline std::shared_ptr<detail::RateAccount> RateLimiter::account_of(std::string_view subject,
                                                                    const RateLimits& limits,
                                                                    Time now) {
  Shard& shard = shards_[Hash()(subject) % shards_.size()];
  const std::lock_guard held(shard.lock);
  auto found = shard.subjects.find(subject);
  if (found == shard.subjects.end()) {
    if (shard.subjects.size() >= shard.sweep_at) sweep(shard, now);
    found = shard.subjects.emplace(std::string(subject), Remembered{}).first;
  }
  Remembered& remembered = found->second;
  if (!remembered.account || remembered.account->algorithm() != limits.algorithm) {
    remembered.account = std::make_shared<Account>(limits.algorithm);
  }
  remembered.limits = limits;
  return remembered.account;
}

/// Forgets those that stand as if they had never asked. What is in flight holds its account.
inline void RateLimiter::sweep(Shard& shard, Time now) {
  std::erase_if(shard.subjects, [now](auto& entry) {
    auto& [account, limits] = entry.second;
    if (account.use_count() > 1) return false;
    const auto idle = [now](const RateLimit& limit) {
      return [&limit, now](auto& meter) { return meter.idle(limit, now); };
    };
    return account->requests(idle(limits.requests)) && account->tokens(idle(limits.tokens));
  });
  shard.sweep_at = std::max<std::size_t>(64, 2 * shard.subjects.size());
}

inline std::size_t RateLimiter::size() const noexcept {
  std::size_t sum = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard held(shard.lock);
    sum += shard.subjects.size();
  }
  return sum;
}

inline void RateLimiter::reset_after_fork() noexcept {
  for (Shard& shard : shards_) {
    shard.lock.reset_after_fork();
    for (auto& [subject, remembered] : shard.subjects) {
      if (remembered.account) remembered.account->lock.reset_after_fork();
    }
  }
}

}  // namespace llmroute
