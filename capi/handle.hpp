/// What every object of the C interface begins with: whose kind it is, who is using it, and whether
/// it was freed. So a function can refuse what is none of its objects, and an object can be freed
/// from inside a callback: it goes when the last function that uses it returns.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace llmroute::capi {

/// Numbers that memory seldom holds by chance.
enum class Kind : std::uint32_t {
  router = 0x726f7574,
  reply = 0x7265706c,
  error = 0x6572726f,
  stream = 0x73747265,
  call = 0x63616c6c,
  loop = 0x6c6f6f70
};

/// Freed handles keep their memory for a while without their content, so that using or freeing one
/// again is seen for what it is. Thread safe.
class Handle {
 public:
  explicit Handle(Kind kind) noexcept : kind_(kind) {}
  virtual ~Handle() = default;
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  /// Whether it is of that kind and not freed.
  bool alive(Kind kind) const noexcept {
    return kind_ == kind && (state_.load(std::memory_order_acquire) & freed_bit) == 0;
  }

  /// Takes part in it until leave(); false when it is not alive.
  bool enter(Kind kind) noexcept;
  void leave() noexcept;

  /// Ends it, at once or with the last leave(). Once; what is not alive is left alone.
  void free(Kind kind) noexcept;

 protected:
  /// Destroys the content; the handle itself stays a while.
  virtual void release() noexcept = 0;

 private:
  static constexpr std::uint32_t freed_bit = 1u << 31;  // below it: how many are in

  const Kind kind_;
  std::atomic<std::uint32_t> state_{0};
};

/// `Use router(handle); if (!router) return misuse("router");` Alive at least until the end of the
/// scope.
template <class T>
class Use {
 public:
  explicit Use(T* handle) noexcept
      : handle_(handle != nullptr && handle->enter(T::kind) ? handle : nullptr) {}
  ~Use() {
    if (handle_ != nullptr) handle_->leave();
  }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

  explicit operator bool() const noexcept { return handle_ != nullptr; }
  T* operator->() const noexcept { return handle_; }

 private:
  T* handle_;
};

/// A flag that one at a time holds: `const Turn turn(flag); if (!turn) return misuse(...);`
class Turn {
 public:
  explicit Turn(std::atomic<bool>& busy) noexcept
      : busy_(busy.exchange(true, std::memory_order_acquire) ? nullptr : &busy) {}
  ~Turn() {
    if (busy_ != nullptr) busy_->store(false, std::memory_order_release);
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  explicit operator bool() const noexcept { return busy_ != nullptr; }

 private:
  std::atomic<bool>* busy_;
};

/// For `_free` functions and accessors: null stays null.
template <class T>
void free_handle(T* handle) noexcept {
  if (handle != nullptr) handle->free(T::kind);
}
template <class T>
bool usable(const T* handle) noexcept {
  return handle != nullptr && handle->alive(T::kind);
}

}  // namespace llmroute::capi
