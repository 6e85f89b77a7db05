// Bytes that move inside the kernel: from a file to a socket (sendfile), between a socket and a pipe (splice), and the
// pipes for it. One system call per function. It knows descriptor numbers and counts; no byte is seen here.
//
// Neither call has flags against waiting or SIGPIPE of its own: sockets are non-blocking by their descriptor
// (syscalls.c), pipes by pipe2. SIGPIPE is blocked in this thread meanwhile: Node ignores it, but only until somebody
// has listened to it. That costs two short calls, beside one that moves 64 KiB and more.
#include "berkeley.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__
#include <signal.h>
#include <sys/sendfile.h>
#include <time.h>

static sigset_t only_sigpipe(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  return set;
}

// Blocks SIGPIPE in this thread; what was blocked before.
static sigset_t block_sigpipe(void) {
  sigset_t set = only_sigpipe(), before;
  pthread_sigmask(SIG_BLOCK, &set, &before);
  return before;
}

// As it was before. A call that did less than it was asked to may have raised the signal, which then waits for this thread.
static void restore_sigpipe(const sigset_t *before, bool maybe_raised) {
  int error = errno;
  sigset_t set = only_sigpipe();
  if (maybe_raised && !sigismember(before, SIGPIPE)) sigtimedwait(&set, NULL, &(struct timespec){0, 0});
  pthread_sigmask(SIG_SETMASK, before, NULL);
  errno = error;
}

// sendfile(fd, file, offset, count): sendfile(2) from there on, leaving the file's own position alone.
NATIVE(sendfile) {
  int fd = INT(0), file = INT(1);
  int64_t offset = LONG(2), count = LONG(3);
  if (WRONG) return WRONG;
  if (offset < 0 || count < 0) return -EINVAL;
  off_t at = offset;
  sigset_t before = block_sigpipe();
  RETRY(ssize_t, sent, sendfile(fd, file, &at, (size_t)count));
  restore_sigpipe(&before, sent < count);
  return sent < 0 ? -errno : sent;
}

// splice(from, to, count): splice(2) between a socket and a pipe, either way.
NATIVE(splice) {
  int from = INT(0), to = INT(1);
  int64_t count = LONG(2);
  if (WRONG) return WRONG;
  if (count < 0) return -EINVAL;
  sigset_t before = block_sigpipe();
  RETRY(ssize_t, moved, splice(from, NULL, to, NULL, (size_t)count, SPLICE_F_MOVE | SPLICE_F_NONBLOCK));
  restore_sigpipe(&before, moved < count);
  return moved < 0 ? -errno : moved;
}

// pipe(pair): pipe2(2), close-on-exec and non-blocking; the reading end and the writing end as two i32.
NATIVE(pipe) {
  struct bytes pair = BYTES(0);
  int fds[2];
  if (WRONG) return WRONG;
  if (pair.length < sizeof fds) return -EFAULT;
  if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0) return -errno;
  if (!own_room(a->state, fds[0] > fds[1] ? fds[0] : fds[1])) {
    close(fds[0]);
    close(fds[1]);
    return -ENOMEM;
  }
  own(a->state, fds[0]);
  own(a->state, fds[1]);
  memcpy(pair.data, fds, sizeof fds);
  return 0;
}

// set_pipe_size(fd, size): fcntl(2) F_SETPIPE_SZ; what it is now. EPERM: over the user's limit, pipe(7).
NATIVE(set_pipe_size) {
  int fd = INT(0), size = INT(1);
  if (WRONG) return WRONG;
  int set = fcntl(fd, F_SETPIPE_SZ, size);
  return set < 0 ? -errno : set;
}

#else
// Other systems have calls of these names with other meanings, or none; callers have another way.
NATIVE(sendfile) { return WRONG ? WRONG : -ENOSYS; }
NATIVE(splice) { return WRONG ? WRONG : -ENOSYS; }
NATIVE(pipe) { return WRONG ? WRONG : -ENOSYS; }
NATIVE(set_pipe_size) { return WRONG ? WRONG : -ENOSYS; }
#endif

// read(fd, view, offset, length): read(2), for what is left in a pipe.
NATIVE(read) {
  int fd = INT(0);
  struct bytes into = SLICE(1);
  if (WRONG) return WRONG;
  RETRY(ssize_t, count, read(fd, into.data, into.length));
  return count < 0 ? -errno : count;
}

void register_moving(napi_env env, napi_value exports) {
  EXPORT(sendfile);
  EXPORT(splice);
  EXPORT(pipe);
  EXPORT(set_pipe_size);
  EXPORT(read);
}
