// Linux calls that Swift's Glibc module does not offer.
#ifndef WEDLIVE_CLINUX_H
#define WEDLIVE_CLINUX_H
#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "checksum.h"
#include "worker.h"

// accept4 stands behind __USE_GNU, which Swift's importer does not define for Glibc.
extern int accept4(int, struct sockaddr *, socklen_t *, int);

/// Accepts one connection, non-blocking and close-on-exec. Returns a descriptor, or -1 with errno.
static inline int wl_accept(int listener, struct sockaddr *address, socklen_t *length) {
  return accept4(listener, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

// fcntl.h would bring `struct stat` along, which Swift then takes for this module's: so its calls are
// made by number, and the flags are those of sockets, which have the same values.

/// A pipe, non-blocking and close-on-exec: the end to read first. Returns 0, or -1 with errno.
static inline int wl_pipe(int ends[2]) {
  return (int)syscall(SYS_pipe2, ends, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/// Asks for room in a pipe. Returns how many bytes it has, or -1 with errno.
static inline int wl_pipe_resize(int pipe, int bytes) {
  return (int)syscall(SYS_fcntl, pipe, 1031 /* F_SETPIPE_SZ */, bytes);
}

/// Moves bytes between a pipe and a socket without waiting for either. Returns how many, 0 at the
/// end, or -1 with errno.
static inline long wl_splice(int from, int to, unsigned long count) {
  return syscall(SYS_splice, from, (void *)0, to, (void *)0, count,
                 1 | 2 /* SPLICE_F_MOVE | SPLICE_F_NONBLOCK */);
}

/// A new epoll event: u64 in, so that Swift need not touch the packed union.
static inline int wl_epoll_ctl(int epoll, int operation, int descriptor, unsigned int events,
                               unsigned long long data) {
  struct epoll_event event;
  event.events = events;
  event.data.u64 = data;
  return epoll_ctl(epoll, operation, descriptor, &event);
}

/// Has the kernel lay memory under bytes that are about to be written, all at once and not page by page
/// as each is touched; where there is some already, which the last page tells, that is all it costs.
static inline void wl_lay_memory(void *bytes, unsigned long count) {
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  uintptr_t start = (uintptr_t)bytes & -page;
  uintptr_t end = ((uintptr_t)bytes + count + page - 1) & -page;
  unsigned char is_there = 0;
  if (mincore((void *)(end - page), page, &is_there) != 0 || (is_there & 1)) { return; }
  // Linux before 5.14 knows nothing of it: then it is as if it had not been asked.
  (void)madvise((void *)start, end - start, 23 /* MADV_POPULATE_WRITE */);
}

/// Pins the calling thread to one core. Returns 0, or -1 with errno.
static inline int wl_pin_thread(int core) {
  unsigned long mask[16] = {0};
  if (core < 0 || core >= (int)(sizeof(mask) * 8)) { errno = EINVAL; return -1; }
  mask[core / (8 * sizeof(long))] = 1UL << (core % (8 * sizeof(long)));
  return (int)syscall(SYS_sched_setaffinity, 0, sizeof(mask), mask);
}

/// Names the calling thread, at most 15 characters, as `top -H` and a debugger show it.
static inline void wl_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

/// How many cores this process may run on (containers and taskset narrow it), or -1.
static inline int wl_cores(void) {
  unsigned long mask[16] = {0};
  long bytes = syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask);
  int count = 0;
  if (bytes < 0) { return -1; }
  for (int i = 0; i < 16; i++) { count += __builtin_popcountl(mask[i]); }
  return count;
}
#endif
