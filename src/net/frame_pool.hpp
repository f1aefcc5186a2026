/// Memory for coroutine frames: a call makes a handful, always of the same sizes, so they come from
/// per-thread lists of blocks and cost a few instructions. Under address and thread sanitizers the
/// pool is off, so that they see every use after the end.
#pragma once

#include <cstddef>

namespace llmroute::net {

/// Throws std::bad_alloc.
void* take_frame(std::size_t size);

/// Any thread, whichever took it: the block goes to the giving thread's list.
void give_frame(void* frame, std::size_t size) noexcept;

/// Frames this thread took minus those it gave back; below zero where frames came from elsewhere to
/// end here.
long frames_live() noexcept;

/// How often this thread had to ask the allocator: stands still once warm.
std::size_t frames_allocated() noexcept;

}  // namespace llmroute::net
