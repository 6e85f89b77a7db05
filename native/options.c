// Socket options: getsockopt(2) and setsockopt(2) in the three forms in which options take their value. One system call
// per function; none waits.
#include "berkeley.h"

#include <string.h>
#include <sys/socket.h>
#ifdef __linux__
#include <linux/filter.h>
#endif

// getsockopt(fd, level, name, view, offset, length): getsockopt(2); the number of bytes that it wrote. The view is zeroed
// first: of a few options (IP_MSFILTER, TCP_ZEROCOPY_RECEIVE) the kernel reads a count or a pointer there that says where
// it may write, and asks for no more of the length than that it is long enough for that.
NATIVE(getsockopt) {
  int fd = INT(0), level = INT(1), name = INT(2);
  struct bytes into = SLICE(3);
  if (WRONG) return WRONG;
  if (into.length > 0) memset(into.data, 0, into.length);
  socklen_t length = into.length > INT_MAX ? INT_MAX : (socklen_t)into.length;
#ifdef SO_GET_FILTER
  // The one option whose length counts instructions: taken as bytes, the kernel would write beyond the view.
  if (level == SOL_SOCKET && name == SO_GET_FILTER) {
    length /= sizeof(struct sock_filter);
    if (length == 0) return -EINVAL;
    return getsockopt(fd, level, name, into.data, &length) == 0 ? (int64_t)(length * sizeof(struct sock_filter)) : -errno;
  }
#endif
  return getsockopt(fd, level, name, into.data, &length) == 0 ? (int64_t)length : -errno;
}

// setsockopt(fd, level, name, view, offset, length): setsockopt(2).
NATIVE(setsockopt) {
  int fd = INT(0), level = INT(1), name = INT(2);
  struct bytes from = SLICE(3);
  if (WRONG) return WRONG;
  if (from.length > INT_MAX) return -EINVAL;
  return setsockopt(fd, level, name, from.data, (socklen_t)from.length) == 0 ? 0 : -errno;
}

// setsockopt_null(fd, level, name, length): setsockopt(2) with NULL and a length.
NATIVE(setsockopt_null) {
  int fd = INT(0), level = INT(1), name = INT(2), length = INT(3);
  if (WRONG) return WRONG;
  if (length < 0) return -EINVAL;
  return setsockopt(fd, level, name, NULL, (socklen_t)length) == 0 ? 0 : -errno;
}

// setsockopt_program(fd, level, name, view, offset, length): setsockopt(2) with a struct sock_fprog that points to the
// instructions, 8 bytes each.
NATIVE(setsockopt_program) {
  int fd = INT(0), level = INT(1), name = INT(2);
  struct bytes from = SLICE(3);
  if (WRONG) return WRONG;
#ifdef __linux__
  size_t count = from.length / sizeof(struct sock_filter);
  if (count > USHRT_MAX) return -EINVAL;
  struct sock_fprog program = {(unsigned short)count, (struct sock_filter *)from.data};
  return setsockopt(fd, level, name, &program, sizeof program) == 0 ? 0 : -errno;
#else
  (void)fd, (void)level, (void)name;
  return -ENOPROTOOPT;
#endif
}

void register_options(napi_env env, napi_value exports) {
  EXPORT(getsockopt);
  EXPORT(setsockopt);
  EXPORT(setsockopt_null);
  EXPORT(setsockopt_program);
}
