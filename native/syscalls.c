// The socket calls, one system call per function, none of which waits: every descriptor made here is
// non-blocking and close-on-exec. Addresses go in and out as bytes of a sockaddr_storage; where the kernel
// writes one, the view given must hold 132 bytes: the address in 0..127, its length as a u32 at 128.
#include "sockets.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#if !defined(SOCK_CLOEXEC) || !defined(SOCK_NONBLOCK)
// Systems without the atomic flags: two more calls, as POSIX gives no other way.
static int mark(int fd) {
  if (fd < 0) return -1;
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0) {
    int error = errno;
    close(fd);
    errno = error;
    return -1;
  }
#ifdef SO_NOSIGPIPE
  setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &(int){1}, sizeof(int));
#endif
  return fd;
}
#endif

// socket(family, type, proto): socket(2).
NATIVE(socket) {
  int family = INT(0), type = INT(1), proto = INT(2);
  if (WRONG) return WRONG;
#if defined(SOCK_CLOEXEC) && defined(SOCK_NONBLOCK)
  int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, proto);
#else
  int fd = mark(socket(family, type, proto));
#endif
  return fd < 0 ? -errno : own(a->state, fd);
}

// bind(fd, address, offset, length): bind(2).
NATIVE(bind) {
  int fd = INT(0);
  struct bytes address = address_in(a, 1);
  if (WRONG) return WRONG;
  return bind(fd, (struct sockaddr *)address.data, (socklen_t)address.length) == 0 ? 0 : -errno;
}

// listen(fd, backlog): listen(2).
NATIVE(listen) {
  int fd = INT(0), backlog = INT(1);
  if (WRONG) return WRONG;
  return listen(fd, backlog) == 0 ? 0 : -errno;
}

static int accept_marked(int fd, struct sockaddr *address, socklen_t *length) {
#if defined(SOCK_CLOEXEC) && defined(SOCK_NONBLOCK) && !defined(__APPLE__)
  return accept4(fd, address, length, SOCK_CLOEXEC | SOCK_NONBLOCK);
#else
  return mark(accept(fd, address, length));
#endif
}

// accept(fd, addressOut): accept4(2).
NATIVE(accept) {
  int fd = INT(0);
  struct bytes address = address_out(a, 1, ADDRESS_VIEW_BYTES);
  if (WRONG) return WRONG;
  socklen_t length = ADDRESS_BYTES;
  RETRY(int, conn, accept_marked(fd, (struct sockaddr *)address.data, &length));
  if (conn < 0) return -errno;
  address_length(address, length);
  return own(a->state, conn);
}

// accept_nameless(fd): accept4(2) without asking who it is. An AF_ALG socket has nobody to tell, and fails when asked.
NATIVE(accept_nameless) {
  int fd = INT(0);
  if (WRONG) return WRONG;
  RETRY(int, conn, accept_marked(fd, NULL, NULL));
  return conn < 0 ? -errno : own(a->state, conn);
}

// connect(fd, address, offset, length): connect(2). EINPROGRESS, then asked again: EALREADY, 0, EISCONN or the error.
NATIVE(connect) {
  int fd = INT(0);
  struct bytes address = address_in(a, 1);
  if (WRONG) return WRONG;
  RETRY(int, result, connect(fd, (struct sockaddr *)address.data, (socklen_t)address.length));
  return result == 0 ? 0 : -errno;
}

// recv(fd, view, offset, length, flags): recv(2) that never waits, whatever mode the descriptor is in.
NATIVE(recv) {
  int fd = INT(0);
  struct bytes into = SLICE(1);
  int flags = INT(4);
  if (WRONG) return WRONG;
  RETRY(ssize_t, count, recv(fd, into.data, into.length, flags | MSG_DONTWAIT));
  return count < 0 ? -errno : count;
}

// send(fd, view, offset, length, flags): send(2) that never waits. MSG_NOSIGNAL is the caller's: some families refuse it.
NATIVE(send) {
  int fd = INT(0);
  struct bytes from = SLICE(1);
  int flags = INT(4);
  if (WRONG) return WRONG;
  RETRY(ssize_t, count, send(fd, from.data, from.length, flags | MSG_DONTWAIT));
  return count < 0 ? -errno : count;
}

// shutdown(fd, how): shutdown(2).
NATIVE(shutdown) {
  int fd = INT(0), how = INT(1);
  if (WRONG) return WRONG;
  return shutdown(fd, how) == 0 ? 0 : -errno;
}

// getsockname(fd, addressOut): getsockname(2).
NATIVE(getsockname) {
  int fd = INT(0);
  struct bytes address = address_out(a, 1, ADDRESS_VIEW_BYTES);
  if (WRONG) return WRONG;
  socklen_t length = ADDRESS_BYTES;
  if (getsockname(fd, (struct sockaddr *)address.data, &length) != 0) return -errno;
  address_length(address, length);
  return 0;
}

// getpeername(fd, addressOut): getpeername(2).
NATIVE(getpeername) {
  int fd = INT(0);
  struct bytes address = address_out(a, 1, ADDRESS_VIEW_BYTES);
  if (WRONG) return WRONG;
  socklen_t length = ADDRESS_BYTES;
  if (getpeername(fd, (struct sockaddr *)address.data, &length) != 0) return -errno;
  address_length(address, length);
  return 0;
}

void register_syscalls(napi_env env, napi_value exports) {
  EXPORT(socket);
  EXPORT(bind);
  EXPORT(listen);
  EXPORT(accept);
  EXPORT(accept_nameless);
  EXPORT(connect);
  EXPORT(recv);
  EXPORT(send);
  EXPORT(shutdown);
  EXPORT(getsockname);
  EXPORT(getpeername);
}
