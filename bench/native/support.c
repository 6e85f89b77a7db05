// See support.h.
#include "support.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(1);
}

void fail_errno(const char *format, ...) {
  const char *reason = strerror(errno);
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fprintf(stderr, ": %s\n", reason);
  exit(1);
}

int64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

long parse_integer(const char *option, const char *text, long minimum, long maximum) {
  char *end;
  errno = 0;
  long value = strtol(text, &end, 10);
  if (end == text || *end != '\0' || errno != 0 || value < minimum || value > maximum)
    fail("--%s takes a whole number from %ld to %ld, not \"%s\"", option, minimum, maximum, text);
  return value;
}

double parse_decimal(const char *option, const char *text, double minimum, double maximum) {
  char *end;
  errno = 0;
  double value = strtod(text, &end);
  if (end == text || *end != '\0' || errno != 0 || !(value >= minimum && value <= maximum))
    fail("--%s takes a number from %g to %g, not \"%s\"", option, minimum, maximum, text);
  return value;
}

void allow_descriptors(long needed) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) fail_errno("getrlimit");
  if (limit.rlim_cur >= (rlim_t)needed) return;
  if (limit.rlim_max < (rlim_t)needed)
    fail("%ld open files are needed; the hard limit (ulimit -Hn) is %ld", needed, (long)limit.rlim_max);
  limit.rlim_cur = (rlim_t)needed;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) fail_errno("setrlimit to %ld open files", needed);
}

void set_nodelay(int fd) {
  int on = 1;
  if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) fail_errno("TCP_NODELAY");
}
