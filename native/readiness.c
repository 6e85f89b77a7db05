// Readiness: epoll(7), or kqueue(2) on the BSDs and macOS. One registration per descriptor, edge-triggered unless it is
// asked to be level-triggered.
// It knows descriptors, interest bits and the two numbers that come back with an event; who waits for it, it
// does not know. The kqueue half is written to the same contract and is not tested here: only Linux is.
//
// Bits, both for interest and in events: 1 read, 2 write, 4 the peer's end or an error, 8 urgent data. For interest
// also 16: level-triggered, and of what is ready only reading and writing (no urgent data).
// An event is three u32: bits, index, generation (as given to readiness_watch).
#include "berkeley.h"

#include <string.h>
#include <unistd.h>

enum { READ = 1, WRITE = 2, END = 4, URGENT = 8, LEVEL = 16 };

#define BATCH_MAX 512 // events of one call; more stay for the next

static void put(uint8_t *at, uint32_t bits, uint64_t token) {
  uint32_t event[3] = {bits, (uint32_t)token, (uint32_t)(token >> 32)};
  memcpy(at, event, sizeof event);
}

static uint64_t token_of(int64_t index, int64_t generation) {
  return (uint64_t)(uint32_t)index | (uint64_t)(uint32_t)generation << 32;
}

#ifdef __linux__
#include <sys/epoll.h>

static uint32_t interest(int bits) {
  if (bits & LEVEL) return ((bits & READ) ? EPOLLIN : 0u) | ((bits & WRITE) ? EPOLLOUT : 0u);
  return EPOLLET | ((bits & READ) ? EPOLLIN | EPOLLRDHUP | EPOLLPRI : 0u) | ((bits & WRITE) ? EPOLLOUT : 0u);
}

// readiness_open(): epoll_create1(2).
NATIVE(readiness_open) {
  if (WRONG) return WRONG;
  int fd = epoll_create1(EPOLL_CLOEXEC);
  return fd < 0 ? -errno : own(a->state, fd);
}

// readiness_watch(poller, fd, bits, index, generation): epoll_ctl(2) EPOLL_CTL_ADD.
NATIVE(readiness_watch) {
  int poller = INT(0), fd = INT(1), bits = INT(2);
  uint64_t token = token_of(LONG(3), LONG(4));
  if (WRONG) return WRONG;
  struct epoll_event event = {.events = interest(bits), .data.u64 = token};
  return epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

// readiness_change(poller, fd, bits, index, generation): epoll_ctl(2) EPOLL_CTL_MOD. Reports anew what is ready now.
NATIVE(readiness_change) {
  int poller = INT(0), fd = INT(1), bits = INT(2);
  uint64_t token = token_of(LONG(3), LONG(4));
  if (WRONG) return WRONG;
  struct epoll_event event = {.events = interest(bits), .data.u64 = token};
  return epoll_ctl(poller, EPOLL_CTL_MOD, fd, &event) == 0 ? 0 : -errno;
}

// readiness_forget(poller, fd): epoll_ctl(2) EPOLL_CTL_DEL.
NATIVE(readiness_forget) {
  int poller = INT(0), fd = INT(1);
  if (WRONG) return WRONG;
  struct epoll_event event = {0};
  return epoll_ctl(poller, EPOLL_CTL_DEL, fd, &event) == 0 ? 0 : -errno;
}

// readiness_wait(poller, events): epoll_wait(2) that never waits; the number of events written.
NATIVE(readiness_wait) {
  int poller = INT(0);
  struct bytes out = BYTES(1);
  if (WRONG) return WRONG;
  struct epoll_event ready[BATCH_MAX];
  int room = out.length / 12 < BATCH_MAX ? (int)(out.length / 12) : BATCH_MAX;
  if (room == 0) return -EFAULT;
  RETRY(int, count, epoll_wait(poller, ready, room, 0));
  for (int i = 0; i < count; i++) {
    uint32_t e = ready[i].events;
    put(out.data + (size_t)i * 12,
        ((e & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI)) ? READ : 0u) |
            ((e & (EPOLLOUT | EPOLLHUP | EPOLLERR)) ? WRITE : 0u) |
            ((e & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) ? END : 0u) | ((e & EPOLLPRI) ? URGENT : 0u),
        ready[i].data.u64);
  }
  return count < 0 ? -errno : count;
}

#else
#include <sys/event.h>
#include <sys/time.h>

// kqueue filters are per direction, so a descriptor has up to two; the token travels in udata.
static int64_t change(int poller, int fd, int bits, uint64_t token, uint16_t action) {
  struct kevent changes[2];
  int count = 0;
  if (bits & READ) EV_SET(&changes[count++], fd, EVFILT_READ, action, 0, 0, (void *)(uintptr_t)token);
  if (bits & WRITE) EV_SET(&changes[count++], fd, EVFILT_WRITE, action, 0, 0, (void *)(uintptr_t)token);
  RETRY(int, result, kevent(poller, changes, count, NULL, 0, NULL));
  return result < 0 ? -errno : 0;
}

NATIVE(readiness_open) {
  if (WRONG) return WRONG;
  int fd = kqueue();
  return fd < 0 ? -errno : own(a->state, fd);
}

NATIVE(readiness_watch) {
  int poller = INT(0), fd = INT(1), bits = INT(2);
  uint64_t token = token_of(LONG(3), LONG(4));
  if (WRONG) return WRONG;
  return change(poller, fd, bits, token, (bits & LEVEL) ? EV_ADD : EV_ADD | EV_CLEAR);
}

NATIVE(readiness_change) {
  int poller = INT(0), fd = INT(1), bits = INT(2);
  uint64_t token = token_of(LONG(3), LONG(4));
  if (WRONG) return WRONG;
  // A direction that is not named any more: edge-triggered it is never taken back, level-triggered it must be.
  if (bits & LEVEL) change(poller, fd, ~bits & (READ | WRITE), 0, EV_DELETE);
  return change(poller, fd, bits, token, (bits & LEVEL) ? EV_ADD : EV_ADD | EV_CLEAR);
}

NATIVE(readiness_forget) {
  int poller = INT(0), fd = INT(1);
  if (WRONG) return WRONG;
  change(poller, fd, WRITE, 0, EV_DELETE); // may never have been asked for
  return change(poller, fd, READ, 0, EV_DELETE);
}

NATIVE(readiness_wait) {
  int poller = INT(0);
  struct bytes out = BYTES(1);
  if (WRONG) return WRONG;
  struct kevent ready[BATCH_MAX];
  int room = out.length / 12 < BATCH_MAX ? (int)(out.length / 12) : BATCH_MAX;
  if (room == 0) return -EFAULT;
  RETRY(int, count, kevent(poller, NULL, 0, ready, room, &(struct timespec){0, 0}));
  for (int i = 0; i < count; i++)
    put(out.data + (size_t)i * 12,
        (ready[i].filter == EVFILT_READ ? READ : WRITE) | ((ready[i].flags & (EV_EOF | EV_ERROR)) ? END : 0u),
        (uint64_t)(uintptr_t)ready[i].udata);
  return count < 0 ? -errno : count;
}
#endif

void register_readiness(napi_env env, napi_value exports) {
  EXPORT(readiness_open);
  EXPORT(readiness_watch);
  EXPORT(readiness_change);
  EXPORT(readiness_forget);
  EXPORT(readiness_wait);
}
