// The count, and the allocations: operator new for everybody, malloc where the linker's --wrap
// sends it here (the library asks it for coroutine frames), libcurl's functions as it takes them.
#include "faultinject/failing.hpp"

#include <curl/curl.h>

#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace llmroute::test {

namespace {
constinit thread_local FailNth* present = nullptr;
}

FailNth::FailNth(Failing what, HowOften how_often, long nth) noexcept
    : what_(what), how_often_(how_often), left_(nth) {
  present = this;
}

FailNth::~FailNth() { present = nullptr; }

bool FailNth::fails(Failing what) noexcept {
  FailNth* plan = present;
  if (plan == nullptr || plan->what_ != what) return false;
  if (plan->failed_) return plan->how_often_ == HowOften::from_then_on;
  plan->failed_ = --plan->left_ <= 0;
  return plan->failed_;
}

Unharmed::Unharmed() noexcept : outer_(std::exchange(present, nullptr)) {}
Unharmed::~Unharmed() { present = outer_; }

}  // namespace llmroute::test

using llmroute::test::Failing;
using llmroute::test::FailNth;

extern "C" void* __real_malloc(std::size_t size);
extern "C" void* __wrap_malloc(std::size_t size) {
  return FailNth::fails(Failing::allocations) ? nullptr : __real_malloc(size);
}

namespace {

void* taken(std::size_t size) noexcept {
  return FailNth::fails(Failing::allocations) ? nullptr : __real_malloc(size != 0 ? size : 1);
}

void* taken_or_thrown(std::size_t size) {
  void* block = taken(size);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

void* taken_aligned(std::size_t size, std::align_val_t alignment) {
  const auto unit = static_cast<std::size_t>(alignment);
  void* block = nullptr;
  if (!FailNth::fails(Failing::allocations)) {
    block = std::aligned_alloc(unit, (size + unit - 1) / unit * unit);
  }
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

void* curl_malloc(std::size_t size) {
  return FailNth::fails(Failing::curl_allocations) ? nullptr : __real_malloc(size);
}

void* curl_realloc(void* block, std::size_t size) {
  return FailNth::fails(Failing::curl_allocations) ? nullptr : std::realloc(block, size);
}

void* curl_calloc(std::size_t count, std::size_t size) {
  return FailNth::fails(Failing::curl_allocations) ? nullptr : std::calloc(count, size);
}

char* curl_strdup(const char* text) {
  return FailNth::fails(Failing::curl_allocations) ? nullptr : ::strdup(text);
}

/// Before the library initialises libcurl: the first to do so says where memory comes from.
const CURLcode curl_ready = curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_malloc, std::free,
                                                 curl_realloc, curl_strdup, curl_calloc);

}  // namespace

void* operator new(std::size_t size) { return taken_or_thrown(size); }
void* operator new[](std::size_t size) { return taken_or_thrown(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return taken(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return taken(size); }
void* operator new(std::size_t size, std::align_val_t to) { return taken_aligned(size, to); }
void* operator new[](std::size_t size, std::align_val_t to) { return taken_aligned(size, to); }
void operator delete(void* block) noexcept { std::free(block); }
void operator delete[](void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t) noexcept { std::free(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { std::free(block); }
void operator delete[](void* block, const std::nothrow_t&) noexcept { std::free(block); }
void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete[](void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }
