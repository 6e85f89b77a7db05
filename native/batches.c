// Many messages in one system call: recvmmsg and sendmmsg. One system call per function, neither of which waits. All
// memory is the caller's, lent for that one call; where each message lies in it is computed here, within the views that
// were given. What a message means is not known here, but for the descriptors in its control data (ancillary.c).
#include "sockets.h"

#define MESSAGES_MAX 1024 // UIO_MAXIOV of Linux: it takes no more at a time

#ifdef __linux__

// What recvmmsg leaves of each message: a message view (messages.c), and behind it the datagram's length as a u32.
#define HEADER_BYTES (ADDRESS_VIEW_BYTES + 3 * sizeof(uint32_t))

// Where each message to be sent lies: its bytes, its address, its control data; places in three views.
struct outgoing {
  uint32_t data_at, data_length, name_at, name_length, control_at, control_length;
};

static bool holds(struct bytes view, uint64_t count, uint64_t size) {
  return size == 0 || count <= view.length / size;
}

// recvmmsg(fd, data, size, headers, control, controlSize, count, flags): recvmmsg(2). Message i gets `size` bytes of
// `data` from i * size on, `controlSize` bytes of `control` likewise, and entry i of `headers`. The descriptors that came
// are owned; a message for whose descriptors there is no memory has lost its control data, and MSG_CTRUNC says so.
NATIVE(recvmmsg) {
  struct mmsghdr messages[MESSAGES_MAX];
  struct iovec parts[MESSAGES_MAX];
  int fd = INT(0);
  struct bytes data = BYTES(1);
  int size = INT(2);
  struct bytes headers = BYTES(3), control = BYTES(4);
  int control_size = INT(5), count = INT(6), flags = INT(7);
  if (WRONG) return WRONG;
  if (count < 1 || count > MESSAGES_MAX || size < 0 || control_size < 0) return -EINVAL;
  if (!holds(data, (uint64_t)count, (uint64_t)size) || !holds(headers, (uint64_t)count, HEADER_BYTES) ||
      !holds(control, (uint64_t)count, (uint64_t)control_size))
    return -EFAULT;
  for (int i = 0; i < count; i++) {
    parts[i] = (struct iovec){.iov_base = size > 0 ? data.data + (size_t)i * (size_t)size : NULL,
                              .iov_len = (size_t)size};
    messages[i].msg_hdr = (struct msghdr){
        .msg_name = headers.data + (size_t)i * HEADER_BYTES,
        .msg_namelen = ADDRESS_BYTES,
        .msg_iov = &parts[i],
        .msg_iovlen = 1,
        .msg_control = control_size > 0 ? control.data + (size_t)i * (size_t)control_size : NULL,
        .msg_controllen = (size_t)control_size};
  }
  RETRY(int, received, recvmmsg(fd, messages, (unsigned int)count, flags | MSG_DONTWAIT, NULL));
  if (received < 0) return -errno;
  for (int i = 0; i < received; i++) {
    struct msghdr *message = &messages[i].msg_hdr;
    if (own_received(a->state, message->msg_control, message->msg_controllen) < 0) {
      message->msg_controllen = 0;
      message->msg_flags |= MSG_CTRUNC;
    }
    struct bytes view = {.data = message->msg_name, .length = HEADER_BYTES};
    address_length(view, message->msg_namelen);
    put_u32(view.data + ADDRESS_VIEW_BYTES, (uint32_t)message->msg_flags);
    put_u32(view.data + ADDRESS_VIEW_BYTES + sizeof(uint32_t), (uint32_t)message->msg_controllen);
    put_u32(view.data + ADDRESS_VIEW_BYTES + 2 * sizeof(uint32_t), messages[i].msg_len);
  }
  return received;
}

static bool within(struct bytes view, uint32_t at, uint32_t length) {
  return at <= view.length && length <= view.length - at;
}

static void *part(struct bytes view, uint32_t at, uint32_t length) { return length > 0 ? view.data + at : NULL; }

// sendmmsg(fd, data, names, control, messages, count, flags): sendmmsg(2). `messages` has six u32 for each: offset and
// length in `data`, in `names` and in `control`. How many went; the error of one that is not the first is for the next call.
NATIVE(sendmmsg) {
  struct mmsghdr messages[MESSAGES_MAX];
  struct iovec parts[MESSAGES_MAX];
  int fd = INT(0);
  struct bytes data = BYTES(1), names = BYTES(2), control = BYTES(3), table = BYTES(4);
  int count = INT(5), flags = INT(6);
  if (WRONG) return WRONG;
  if (count < 1 || count > MESSAGES_MAX) return -EINVAL;
  if (!holds(table, (uint64_t)count, sizeof(struct outgoing))) return -EFAULT;
  for (int i = 0; i < count; i++) {
    struct outgoing o; // copied out: the view may lie anywhere, and another thread may write to it
    memcpy(&o, table.data + (size_t)i * sizeof o, sizeof o);
    if (!within(data, o.data_at, o.data_length) || !within(names, o.name_at, o.name_length) ||
        !within(control, o.control_at, o.control_length))
      return -EFAULT;
    parts[i] = (struct iovec){.iov_base = part(data, o.data_at, o.data_length), .iov_len = o.data_length};
    messages[i].msg_hdr = (struct msghdr){.msg_name = part(names, o.name_at, o.name_length),
                                          .msg_namelen = o.name_length,
                                          .msg_iov = &parts[i],
                                          .msg_iovlen = 1,
                                          .msg_control = part(control, o.control_at, o.control_length),
                                          .msg_controllen = o.control_length};
  }
  RETRY(int, sent, sendmmsg(fd, messages, (unsigned int)count, flags | MSG_DONTWAIT));
  return sent < 0 ? -errno : sent;
}

#else

NATIVE(recvmmsg) {
  (void)a;
  return -ENOSYS;
}

NATIVE(sendmmsg) {
  (void)a;
  return -ENOSYS;
}

#endif

void register_batches(napi_env env, napi_value exports) {
  EXPORT(recvmmsg);
  EXPORT(sendmmsg);
}
