// See latency.h.
#include "latency.h"

#include <string.h>

enum { PARTS = 1 << LATENCY_PARTS_BITS };

// Values below PARTS have a bucket each. Above, a value with its highest bit at `power` falls into one
// of the PARTS buckets of that power.
static int bucket_of(uint64_t value) {
  if (value < PARTS) return (int)value;
  int power = 63 - __builtin_clzll(value);
  int shift = power - LATENCY_PARTS_BITS;
  int bucket = ((shift + 1) << LATENCY_PARTS_BITS) + (int)((value >> shift) - PARTS);
  return bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1;
}

static double middle_of(int bucket) {
  if (bucket < PARTS) return bucket;
  int shift = (bucket >> LATENCY_PARTS_BITS) - 1;
  uint64_t lowest = (uint64_t)(PARTS + (bucket & (PARTS - 1))) << shift;
  return (double)lowest + (double)((uint64_t)1 << shift) / 2;
}

void latency_clear(struct latency *latency) {
  memset(latency, 0, sizeof *latency);
}

void latency_record(struct latency *latency, int64_t duration_ns) {
  if (duration_ns < 0) duration_ns = 0;
  latency->counts[bucket_of((uint64_t)duration_ns)]++;
  latency->total++;
  if (duration_ns > latency->maximum_ns) latency->maximum_ns = duration_ns;
}

double latency_percentile(const struct latency *latency, double share) {
  uint64_t wanted = (uint64_t)(share * (double)latency->total);
  uint64_t seen = 0;
  for (int bucket = 0; bucket < LATENCY_BUCKETS; bucket++) {
    seen += latency->counts[bucket];
    if (seen > wanted) return middle_of(bucket);
  }
  return (double)latency->maximum_ns;
}
