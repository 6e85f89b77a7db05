// Waiting on the calling thread: poll(2) and select(2). These are the only calls of the addon that wait. While they
// do, nothing of JavaScript runs in this thread, so whoever calls them asks for a short time and calls again; a signal
// ends them with -EINTR, because only the caller has a clock to wait on with. It knows no descriptor's kind.
#include "berkeley.h"

#include <poll.h>
#include <string.h>
#include <sys/select.h>

// poll(fds, ms): poll(2). `fds` is a view of struct pollfd: int32 fd, int16 events, int16 revents (written), for each
// descriptor; the number of them that are ready.
NATIVE(poll) {
  struct bytes fds = BYTES(0);
  int ms = INT(1);
  if (WRONG) return WRONG;
  int count = poll((struct pollfd *)(void *)fds.data, (nfds_t)(fds.length / sizeof(struct pollfd)), ms);
  return count < 0 ? -errno : count;
}

// One of select's sets: as many bytes as an fd_set has, where JavaScript has bit N of byte N >> 3.
static void read_set(struct bytes from, fd_set *set) {
  FD_ZERO(set);
  for (int fd = 0; fd < FD_SETSIZE; fd++)
    if (from.data[fd >> 3] & 1 << (fd & 7)) FD_SET(fd, set);
}

static void write_set(struct bytes to, const fd_set *set) {
  memset(to.data, 0, FD_SETSIZE / 8);
  for (int fd = 0; fd < FD_SETSIZE; fd++)
    if (FD_ISSET(fd, set)) to.data[fd >> 3] |= (uint8_t)(1 << (fd & 7));
}

// select(count, read, write, except, ms): select(2). The sets are views of FD_SETSIZE bits, bit N of byte N >> 3, and
// come back with what is ready; `count` is the highest descriptor and one.
NATIVE(select) {
  int count = INT(0);
  struct bytes views[3] = {BYTES(1), BYTES(2), BYTES(3)};
  int ms = INT(4);
  fd_set sets[3];
  if (WRONG) return WRONG;
  if (count < 0 || count > FD_SETSIZE || ms < 0) return -EINVAL;
  for (int i = 0; i < 3; i++) {
    if (views[i].length < FD_SETSIZE / 8) return -EFAULT;
    read_set(views[i], &sets[i]);
  }
  struct timeval time = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
  int ready = select(count, &sets[0], &sets[1], &sets[2], &time);
  if (ready < 0) return -errno;
  for (int i = 0; i < 3; i++) write_set(views[i], &sets[i]);
  return ready;
}

void register_polling(napi_env env, napi_value exports) {
  EXPORT(poll);
  EXPORT(select);
}
