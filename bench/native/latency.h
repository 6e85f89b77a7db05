// A histogram of durations in bounded memory. Log-linear: each power of two is cut into 64 equal
// parts, so a percentile is exact to 1.6 %, from nanoseconds to a quarter of an hour.
#ifndef BENCH_LATENCY_H
#define BENCH_LATENCY_H

#include <stdint.h>

enum { LATENCY_PARTS_BITS = 6, LATENCY_POWERS = 40, LATENCY_BUCKETS = LATENCY_POWERS << LATENCY_PARTS_BITS };

struct latency {
  uint64_t counts[LATENCY_BUCKETS];
  uint64_t total;
  int64_t maximum_ns;
};

void latency_clear(struct latency *latency);
void latency_record(struct latency *latency, int64_t duration_ns);

// The duration that `share` (0..1) of the recorded ones do not exceed, in nanoseconds; 0 when there are none.
double latency_percentile(const struct latency *latency, double share);

#endif
