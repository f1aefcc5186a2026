/// Per-thread lists of free blocks, one for each size class of 128 bytes.
#include "net/frame_pool.hpp"

#include <cstdlib>
#include <new>

namespace llmroute::net {

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool pooled = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool pooled = false;
#else
constexpr bool pooled = true;
#endif
#else
constexpr bool pooled = true;
#endif

constexpr std::size_t granule = 128;
constexpr std::size_t classes = 32;  // frames up to 4 KiB
constexpr unsigned kept_a_class =
    256;  // bounds what frames that come from other threads can pile up

struct FreeBlock {
  FreeBlock* next;
};

/// Without a destructor, so that frames may still end while the thread's other thread-locals are
/// being destroyed.
struct Pool {
  FreeBlock* free[classes + 1];
  unsigned kept[classes + 1];
  long live;
  std::size_t allocated;
  bool closed;
};
constinit thread_local Pool pool{};

/// Gives the blocks back when the thread ends.
struct Drain {
  ~Drain() {
    pool.closed = true;
    for (FreeBlock*& head : pool.free) {
      while (head != nullptr) {
        FreeBlock* next = head->next;
        std::free(head);
        head = next;
      }
    }
  }
};

std::size_t class_of(std::size_t size) noexcept { return (size + granule - 1) / granule; }

}  // namespace

void* take_frame(std::size_t size) {
  const std::size_t index = class_of(size);
  const bool poolable = pooled && index <= classes;
  if (poolable && pool.free[index] != nullptr) {
    FreeBlock* block = pool.free[index];
    pool.free[index] = block->next;
    --pool.kept[index];
    ++pool.live;
    return block;
  }
  void* block = std::malloc(poolable ? index * granule : size);
  if (block == nullptr) throw std::bad_alloc();
  ++pool.allocated;
  ++pool.live;
  return block;
}

void give_frame(void* frame, std::size_t size) noexcept {
  --pool.live;
  const std::size_t index = class_of(size);
  if (!pooled || index > classes || pool.closed || pool.kept[index] == kept_a_class) {
    std::free(frame);
    return;
  }
  thread_local const Drain drain;
  static_cast<void>(&drain);
  pool.free[index] = new (frame) FreeBlock{pool.free[index]};
  ++pool.kept[index];
}

long frames_live() noexcept { return pool.live; }
std::size_t frames_allocated() noexcept { return pool.allocated; }

}  // namespace llmroute::net
