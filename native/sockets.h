// What the files with socket calls share: addresses in and out, descriptors that arrive.
// An address is a sockaddr_storage in bytes 0..127 of a view; where the kernel writes one, its length follows as a u32
// at 128.
#ifndef BERKELEY_SOCKETS_H
#define BERKELEY_SOCKETS_H

#include "berkeley.h"

#include <string.h>
#include <sys/socket.h>

#define ADDRESS_BYTES 128
#define ADDRESS_VIEW_BYTES (ADDRESS_BYTES + sizeof(uint32_t))
_Static_assert(sizeof(struct sockaddr_storage) == ADDRESS_BYTES, "an address view holds a sockaddr_storage");

// ancillary.c: the descriptors in control data that the kernel wrote become the environment's own and close-on-exec; 0.
// Without the memory to remember them all are closed: -ENOMEM.
int64_t own_received(struct environment *state, const uint8_t *control, size_t length);

static inline void put_u32(uint8_t *at, uint32_t value) { memcpy(at, &value, sizeof value); }

// Where the kernel writes an address, and perhaps more behind it: refuses a view that is too small.
static inline struct bytes address_out(struct arguments *a, size_t index, size_t size) {
  struct bytes view = arguments_bytes(a, index);
  if (a->wrong == 0 && view.length < size) a->wrong = -EFAULT;
  return view;
}

// An address for the kernel: the slice at index. One longer than any would come to it as its length modulo 2^32.
static inline struct bytes address_in(struct arguments *a, size_t index) {
  struct bytes view = arguments_slice(a, index);
  if (a->wrong == 0 && view.length > ADDRESS_BYTES) a->wrong = -EINVAL;
  return view;
}

static inline void address_length(struct bytes view, socklen_t length) {
  put_u32(view.data + ADDRESS_BYTES, length > ADDRESS_BYTES ? ADDRESS_BYTES : (uint32_t)length);
}

#endif
