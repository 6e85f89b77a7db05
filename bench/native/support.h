// What the bench's two C programs share: reporting a failure, the clock, numbers from the command
// line, the descriptor limit. Knows nothing of sockets' contents nor of what is measured.
#ifndef BENCH_SUPPORT_H
#define BENCH_SUPPORT_H

#include <stdint.h>

// Say what went wrong on standard error and end the program with status 1.
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

// The same, followed by the text of `errno`.
_Noreturn void fail_errno(const char *format, ...) __attribute__((format(printf, 1, 2)));

// CLOCK_MONOTONIC in nanoseconds.
int64_t now_ns(void);

// The number that `text` spells, or fail() naming the option when it is none or out of range.
long parse_integer(const char *option, const char *text, long minimum, long maximum);
double parse_decimal(const char *option, const char *text, double minimum, double maximum);

// Raise the soft limit of open files so that `needed` fit; fail() when the hard limit is lower.
void allow_descriptors(long needed);

// TCP_NODELAY on, for every connection of every program here.
void set_nodelay(int fd);

#endif
