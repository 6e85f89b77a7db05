// What a socket holds: bytes to be read and bytes that the peer has not acknowledged, and whether the next byte is where
// urgent data was. ioctl(2), tcp(7), udp(7), unix(7).
//
// Why a function for each request and no ioctl(fd, request). The request's number alone decides how much memory the
// kernel reads and writes, and its size is coded in few of them: one from JavaScript could have it write past anything.
// These write an int, and nothing else can be asked for.
#include "berkeley.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

#ifdef __linux__
#include <linux/sockios.h>
#else
#define SIOCINQ FIONREAD
#ifdef TIOCOUTQ
#define SIOCOUTQ TIOCOUTQ
#endif
#endif

static int64_t ask(int fd, unsigned long request) {
  int answer = 0;
  return ioctl(fd, request, &answer) < 0 ? -errno : answer;
}

// sockatmark(fd): sockatmark(3).
NATIVE(sockatmark) {
  int fd = INT(0);
  if (WRONG) return WRONG;
  int at = sockatmark(fd);
  return at < 0 ? -errno : at;
}

// siocinq(fd): ioctl(2) SIOCINQ.
NATIVE(siocinq) {
  int fd = INT(0);
  return WRONG ? WRONG : ask(fd, SIOCINQ);
}

// siocoutq(fd): ioctl(2) SIOCOUTQ.
NATIVE(siocoutq) {
  int fd = INT(0);
#ifdef SIOCOUTQ
  return WRONG ? WRONG : ask(fd, SIOCOUTQ);
#else
  return WRONG ? WRONG : (fd < 0 ? -EBADF : -ENOSYS);
#endif
}

// siocoutqnsd(fd): ioctl(2) SIOCOUTQNSD.
NATIVE(siocoutqnsd) {
  int fd = INT(0);
#ifdef SIOCOUTQNSD
  return WRONG ? WRONG : ask(fd, SIOCOUTQNSD);
#else
  return WRONG ? WRONG : (fd < 0 ? -EBADF : -ENOSYS);
#endif
}

void register_queues(napi_env env, napi_value exports) {
  EXPORT(sockatmark);
  EXPORT(siocinq);
  EXPORT(siocoutq);
  EXPORT(siocoutqnsd);
}
