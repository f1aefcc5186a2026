/* To be preloaded: while the file READ_ONLY_WHILE is there, whatever would change a file below
   READ_ONLY_DIRECTORY fails with EROFS, as on a disk that the kernel has made read-only. A mount
   cannot stand in for it: one on which a file is open for writing is not remounted. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The function that this one stands in front of. */
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int refused(const char* path) {
  const char* directory = getenv("READ_ONLY_DIRECTORY");
  const char* flag = getenv("READ_ONLY_WHILE");
  if (!directory || !flag || strncmp(path, directory, strlen(directory)) != 0) return 0;
  if (NEXT(access)(flag, F_OK) != 0) return 0;
  errno = EROFS;
  return 1;
}

static int refused_file(int fd) {
  char link[32];
  char path[PATH_MAX];
  const int before = errno;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  errno = before;
  if (length < 0) return 0;
  path[length] = '\0';
  return refused(path);
}

static int changes(int flags) { return (flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)) != 0; }

#define OPEN(name)                                  \
  int name(const char* path, int flags, ...) {      \
    va_list arguments;                              \
    va_start(arguments, flags);                     \
    const mode_t mode = va_arg(arguments, mode_t);  \
    va_end(arguments);                              \
    if (changes(flags) && refused(path)) return -1; \
    return NEXT(name)(path, flags, mode);           \
  }
OPEN(open)
OPEN(open64)

#define OF_PATH(name, parameters, ...) \
  int name parameters { return refused(path) ? -1 : NEXT(name)(__VA_ARGS__); }
OF_PATH(unlink, (const char* path), path)
OF_PATH(mkdir, (const char* path, mode_t mode), path, mode)
OF_PATH(rename, (const char* from, const char* path), from, path)

int access(const char* path, int mode) {
  return (mode & W_OK) && refused(path) ? -1 : NEXT(access)(path, mode);
}

#define OF_FILE(type, name, parameters, ...) \
  type name parameters { return refused_file(fd) ? -1 : NEXT(name)(__VA_ARGS__); }
OF_FILE(ssize_t, write, (int fd, const void* data, size_t size), fd, data, size)
OF_FILE(ssize_t, pwrite, (int fd, const void* data, size_t size, off_t at), fd, data, size, at)
OF_FILE(ssize_t, pwrite64, (int fd, const void* data, size_t size, off64_t at), fd, data, size, at)
OF_FILE(int, ftruncate, (int fd, off_t size), fd, size)
OF_FILE(int, ftruncate64, (int fd, off64_t size), fd, size)
OF_FILE(int, fallocate, (int fd, int mode, off_t at, off_t size), fd, mode, at, size)
OF_FILE(int, fallocate64, (int fd, int mode, off64_t at, off64_t size), fd, mode, at, size)
