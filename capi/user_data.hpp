/// What the caller's functions are called with, and what is called when it is needed no more.
#pragma once

#include <utility>

namespace llmroute::capi {

class UserData {
 public:
  UserData(void* data, void (*free)(void*)) noexcept : data_(data), free_(free) {}
  UserData(UserData&& other) noexcept
      : data_(other.data_), free_(std::exchange(other.free_, nullptr)) {}
  UserData& operator=(UserData&&) = delete;
  ~UserData() {
    if (free_ != nullptr) free_(data_);
  }

  void* get() const noexcept { return data_; }

 private:
  void* data_;
  void (*free_)(void*);
};

}  // namespace llmroute::capi
