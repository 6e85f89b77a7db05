// Which descriptors this environment opened and has not given away. When the environment ends (a worker thread
// is terminated, say) nothing of JavaScript runs any more, so what is still open is closed here. It knows
// descriptor numbers and nothing of what they are.
#include "berkeley.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool own_room(struct environment *state, int highest) {
  size_t needed = (size_t)highest + 1;
  if (needed <= state->owned_size) return true;
  size_t size = needed < 256 ? 256 : needed * 2;
  uint8_t *grown = realloc(state->owned, size);
  if (grown == NULL) return false;
  memset(grown + state->owned_size, 0, size - state->owned_size);
  state->owned = grown;
  state->owned_size = size;
  return true;
}

int64_t own(struct environment *state, int descriptor) {
  if (!own_room(state, descriptor)) {
    close(descriptor);
    return -ENOMEM;
  }
  state->owned[descriptor] = 1;
  return descriptor;
}

void disown(struct environment *state, int descriptor) {
  if (descriptor >= 0 && (size_t)descriptor < state->owned_size) state->owned[descriptor] = 0;
}

void close_owned(struct environment *state) {
  for (size_t descriptor = 0; descriptor < state->owned_size; descriptor++)
    if (state->owned[descriptor] != 0) close((int)descriptor);
  state->owned_size = 0;
}

// adopt(fd): from now on this environment closes it. fcntl(2) F_GETFD says whether it is open: a number that is not
// would be closed one day under somebody else who got it.
NATIVE(adopt) {
  int fd = INT(0);
  if (WRONG) return WRONG;
  return fcntl(fd, F_GETFD) < 0 ? -errno : own(a->state, fd);
}

// disown(fd): it is somebody else's now.
NATIVE(disown) {
  int fd = INT(0);
  if (WRONG) return WRONG;
  disown(a->state, fd);
  return 0;
}

// close(fd): close(2). EINTR after close(2) on Linux means that it is closed.
NATIVE(close) {
  int fd = INT(0);
  if (WRONG) return WRONG;
  disown(a->state, fd);
  return close(fd) == 0 || errno == EINTR ? 0 : -errno;
}

// dup(fd): fcntl(2) F_DUPFD_CLOEXEC; a second descriptor of the same open file, close-on-exec.
NATIVE(dup) {
  int fd = INT(0);
  if (WRONG) return WRONG;
  int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  return copy < 0 ? -errno : own(a->state, copy);
}

// set_blocking(fd, flag): fcntl(2) F_SETFL, O_NONBLOCK.
NATIVE(set_blocking) {
  int fd = INT(0), blocking = INT(1);
  if (WRONG) return WRONG;
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return -errno;
  return fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK) == 0 ? 0 : -errno;
}

// set_inheritable(fd, flag): fcntl(2) F_SETFD, FD_CLOEXEC.
NATIVE(set_inheritable) {
  int fd = INT(0), inheritable = INT(1);
  if (WRONG) return WRONG;
  int flags = fcntl(fd, F_GETFD);
  if (flags < 0) return -errno;
  return fcntl(fd, F_SETFD, inheritable ? flags & ~FD_CLOEXEC : flags | FD_CLOEXEC) == 0 ? 0 : -errno;
}

// get_inheritable(fd): fcntl(2) F_GETFD; 1 when a child process would have it.
NATIVE(get_inheritable) {
  int fd = INT(0);
  if (WRONG) return WRONG;
  int flags = fcntl(fd, F_GETFD);
  return flags < 0 ? -errno : (flags & FD_CLOEXEC) == 0;
}

void register_ownership(napi_env env, napi_value exports) {
  EXPORT(adopt);
  EXPORT(disown);
  EXPORT(close);
  EXPORT(dup);
  EXPORT(set_blocking);
  EXPORT(set_inheritable);
  EXPORT(get_inheritable);
}
