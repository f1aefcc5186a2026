// System calls in front of the C library's: a program's own symbols come first, also for the shared
// libraries it uses. Each fails as the kernel would say it.
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <cerrno>
#include <cstdarg>
#include <string_view>

#include "faultinject/failing.hpp"

namespace {

/// The function that would have been called.
template <class F>
F* behind(const char* name) {
  return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}

/// Sets errno where the call is to fail.
bool fails(int code) noexcept {
  if (!llmroute::test::FailNth::fails(llmroute::test::Failing::system_calls)) return false;
  errno = code;
  return true;
}

}  // namespace

extern "C" {

int socket(int domain, int type, int protocol) noexcept {
  static const auto next = behind<int(int, int, int)>("socket");
  return fails(EMFILE) ? -1 : next(domain, type, protocol);
}

int socketpair(int domain, int type, int protocol, int pair[2]) noexcept {
  static const auto next = behind<int(int, int, int, int*)>("socketpair");
  return fails(EMFILE) ? -1 : next(domain, type, protocol, pair);
}

int connect(int fd, const sockaddr* address, socklen_t length) {
  static const auto next = behind<int(int, const sockaddr*, socklen_t)>("connect");
  return fails(ENETUNREACH) ? -1 : next(fd, address, length);
}

int getsockopt(int fd, int level, int name, void* value, socklen_t* length) noexcept {
  static const auto next = behind<int(int, int, int, void*, socklen_t*)>("getsockopt");
  return fails(ENOBUFS) ? -1 : next(fd, level, name, value, length);
}

int setsockopt(int fd, int level, int name, const void* value, socklen_t length) noexcept {
  static const auto next = behind<int(int, int, int, const void*, socklen_t)>("setsockopt");
  return fails(ENOMEM) ? -1 : next(fd, level, name, value, length);
}

int fcntl(int fd, int command, ...) {
  static const auto next = behind<int(int, int, ...)>("fcntl");
  va_list rest;
  va_start(rest, command);
  const long argument = va_arg(rest, long);
  va_end(rest);
  return fails(ENOMEM) ? -1 : next(fd, command, argument);
}

ssize_t send(int fd, const void* bytes, size_t size, int flags) {
  static const auto next = behind<ssize_t(int, const void*, size_t, int)>("send");
  return fails(ECONNRESET) ? -1 : next(fd, bytes, size, flags);
}

ssize_t recv(int fd, void* bytes, size_t size, int flags) {
  static const auto next = behind<ssize_t(int, void*, size_t, int)>("recv");
  return fails(ECONNRESET) ? -1 : next(fd, bytes, size, flags);
}

int epoll_create1(int flags) noexcept {
  static const auto next = behind<int(int)>("epoll_create1");
  return fails(EMFILE) ? -1 : next(flags);
}

int epoll_ctl(int set, int what, int fd, epoll_event* event) noexcept {
  static const auto next = behind<int(int, int, int, epoll_event*)>("epoll_ctl");
  return fails(ENOMEM) ? -1 : next(set, what, fd, event);
}

int epoll_wait(int set, epoll_event* events, int most, int timeout) {
  static const auto next = behind<int(int, epoll_event*, int, int)>("epoll_wait");
  return fails(EINTR) ? -1 : next(set, events, most, timeout);
}

int eventfd(unsigned count, int flags) noexcept {
  static const auto next = behind<int(unsigned, int)>("eventfd");
  return fails(EMFILE) ? -1 : next(count, flags);
}

int timerfd_create(clockid_t clock, int flags) noexcept {
  static const auto next = behind<int(clockid_t, int)>("timerfd_create");
  return fails(EMFILE) ? -1 : next(clock, flags);
}

int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** found) {
  static const auto next =
      behind<int(const char*, const char*, const addrinfo*, addrinfo**)>("getaddrinfo");
  if (fails(ENOMEM)) return EAI_SYSTEM;
  const bool ours = node != nullptr && std::string_view(node).ends_with(".test");
  return next(ours ? "127.0.0.1" : node, service, hints, found);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*),
                   void* argument) noexcept {
  static const auto next =
      behind<int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>("pthread_create");
  return fails(EAGAIN) ? EAGAIN : next(thread, attributes, run, argument);
}

}  // extern "C"
