/// Knowing that fork() happened: libcurl and epoll sets are of no use in the child, so what holds
/// them asks here first.
#pragma once

#include <cstdint>

namespace llmroute::net {

/// Changes in the child of every fork(). Any thread; costs one load.
std::uint64_t fork_generation() noexcept;

}  // namespace llmroute::net
