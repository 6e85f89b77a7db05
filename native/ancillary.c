// Descriptors in ancillary data. Whatever the caller makes of a received message, the descriptors that came with it are
// open in this process from the moment of the call: here they become the environment's own, so that none is lost when
// it ends. It knows the two kinds of control message that carry descriptors, and nothing of the others.
#include "sockets.h"

#include <fcntl.h>
#include <unistd.h>

#ifdef __linux__
#ifndef SCM_PIDFD
#define SCM_PIDFD 0x04 // Linux 6.5
#endif
#define CARRIES(TYPE) ((TYPE) == SCM_RIGHTS || (TYPE) == SCM_PIDFD)
#else
#define CARRIES(TYPE) ((TYPE) == SCM_RIGHTS)
#endif

// Where a walk over the descriptors of control data stands. Headers are copied out: control data may lie anywhere.
struct walk {
  const uint8_t *control;
  size_t length, at, data, end; // the next header; what is left of the present message's descriptors
};

static bool next(struct walk *walk, int *descriptor) {
  while (walk->end - walk->data < sizeof *descriptor) {
    struct cmsghdr header;
    if (walk->at > walk->length || walk->length - walk->at < sizeof header) return false;
    memcpy(&header, walk->control + walk->at, sizeof header);
    size_t size = (size_t)header.cmsg_len;
    if (size < CMSG_LEN(0) || size > walk->length - walk->at) return false;
    bool carries = header.cmsg_level == SOL_SOCKET && CARRIES(header.cmsg_type);
    walk->end = walk->at + size;
    walk->data = carries ? walk->at + CMSG_LEN(0) : walk->end;
    walk->at += CMSG_SPACE(size - CMSG_LEN(0));
  }
  memcpy(descriptor, walk->control + walk->data, sizeof *descriptor);
  walk->data += sizeof *descriptor;
  return true;
}

int64_t own_received(struct environment *state, const uint8_t *control, size_t length) {
  const struct walk start = {.control = control, .length = length};
  struct walk walk = start;
  int highest = -1, descriptor;
  while (next(&walk, &descriptor))
    if (descriptor > highest) highest = descriptor;
  if (highest < 0) return 0;
  bool room = own_room(state, highest);
  for (walk = start; next(&walk, &descriptor);) {
    if (descriptor < 0) continue; // a SCM_PIDFD of a process that is gone has none
    fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    if (room)
      own(state, descriptor);
    else
      close(descriptor);
  }
  return room ? 0 : -ENOMEM;
}
