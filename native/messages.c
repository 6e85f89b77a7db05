// Messages: datagrams with their addresses, scattered and gathered bytes, ancillary data; socketpair. One system call
// per function, none of which waits. Control data goes in and out as bytes; what it means is not known here, but for
// the descriptors in it (ancillary.c).
//
// A message view is an address view that goes on: msg_flags as a u32 at 132, the control data's length as a u32 at 136.
#include "sockets.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#define MESSAGE_VIEW_BYTES (ADDRESS_VIEW_BYTES + 2 * sizeof(uint32_t))
#define PARTS_MAX 1024 // IOV_MAX of Linux; more is EMSGSIZE there as well

// The views of the array at index. All elements are taken before the first is looked into: taking one may run code of
// the caller's, which could detach another.
static size_t parts_read(struct arguments *a, size_t index, struct iovec *parts) {
  napi_value views[PARTS_MAX];
  uint32_t count = 0;
  bool is_array = false;
  if (a->wrong != 0) return 0;
  if (napi_is_array(a->env, a->value[index], &is_array) != napi_ok || !is_array ||
      napi_get_array_length(a->env, a->value[index], &count) != napi_ok) {
    a->wrong = -EINVAL;
    return 0;
  }
  if (count > PARTS_MAX) {
    a->wrong = -EMSGSIZE;
    return 0;
  }
  for (uint32_t i = 0; i < count; i++) {
    if (napi_get_element(a->env, a->value[index], i, &views[i]) == napi_ok) continue;
    napi_value thrown; // by a getter; the answer is a number all the same
    napi_get_and_clear_last_exception(a->env, &thrown);
    a->wrong = -EINVAL;
    return 0;
  }
  for (uint32_t i = 0; i < count; i++) {
    size_t length = 0;
    void *data = NULL;
    if (napi_get_buffer_info(a->env, views[i], &data, &length) != napi_ok) {
      a->wrong = -EINVAL;
      return 0;
    }
    parts[i] = (struct iovec){.iov_base = data, .iov_len = length};
  }
  return count;
}

// recvfrom(fd, view, offset, length, flags, addressOut): recvfrom(2).
NATIVE(recvfrom) {
  int fd = INT(0);
  struct bytes into = SLICE(1);
  int flags = INT(4);
  struct bytes address = address_out(a, 5, ADDRESS_VIEW_BYTES);
  if (WRONG) return WRONG;
  socklen_t length = ADDRESS_BYTES;
  RETRY(ssize_t, count,
        recvfrom(fd, into.data, into.length, flags | MSG_DONTWAIT, (struct sockaddr *)address.data, &length));
  if (count < 0) return -errno;
  address_length(address, length);
  return count;
}

// sendto(fd, view, offset, length, flags, address, addressLength): sendto(2).
NATIVE(sendto) {
  int fd = INT(0);
  struct bytes from = SLICE(1);
  int flags = INT(4);
  struct bytes address = START(5);
  if (WRONG) return WRONG;
  RETRY(ssize_t, count,
        sendto(fd, from.data, from.length, flags | MSG_DONTWAIT, (struct sockaddr *)address.data,
               (socklen_t)address.length));
  return count < 0 ? -errno : count;
}

// recvmsg(fd, views, messageOut, control, controlLength, flags): recvmsg(2). The descriptors that came are owned, and
// close-on-exec: with MSG_CMSG_CLOEXEC from the first moment on. Packet sockets refuse that flag, so it is the caller's.
NATIVE(recvmsg) {
  struct iovec parts[PARTS_MAX];
  int fd = INT(0);
  size_t count = parts_read(a, 1, parts);
  struct bytes view = address_out(a, 2, MESSAGE_VIEW_BYTES), control = START(3);
  int flags = INT(5);
  if (WRONG) return WRONG;
  struct msghdr message = {.msg_name = view.data,
                           .msg_namelen = ADDRESS_BYTES,
                           .msg_iov = parts,
                           .msg_iovlen = count,
                           .msg_control = control.length > 0 ? control.data : NULL,
                           .msg_controllen = control.length};
  RETRY(ssize_t, received, recvmsg(fd, &message, flags | MSG_DONTWAIT));
  if (received < 0) return -errno;
  int64_t owned = own_received(a->state, control.data, message.msg_controllen);
  if (owned < 0) return owned;
  address_length(view, message.msg_namelen);
  put_u32(view.data + ADDRESS_VIEW_BYTES, (uint32_t)message.msg_flags);
  put_u32(view.data + ADDRESS_VIEW_BYTES + sizeof(uint32_t), (uint32_t)message.msg_controllen);
  return received;
}

// sendmsg(fd, views, address, addressLength, control, controlLength, flags): sendmsg(2). Without an address or control
// data their lengths are 0.
NATIVE(sendmsg) {
  struct iovec parts[PARTS_MAX];
  int fd = INT(0);
  size_t count = parts_read(a, 1, parts);
  struct bytes address = START(2), control = START(4);
  int flags = INT(6);
  if (WRONG) return WRONG;
  struct msghdr message = {.msg_name = address.length > 0 ? address.data : NULL,
                           .msg_namelen = (socklen_t)address.length,
                           .msg_iov = parts,
                           .msg_iovlen = count,
                           .msg_control = control.length > 0 ? control.data : NULL,
                           .msg_controllen = control.length};
  RETRY(ssize_t, sent, sendmsg(fd, &message, flags | MSG_DONTWAIT));
  return sent < 0 ? -errno : sent;
}

// socketpair(family, type, proto, pairOut): socketpair(2); two i32 in pairOut.
NATIVE(socketpair) {
  int family = INT(0), type = INT(1), proto = INT(2), pair[2];
  struct bytes out = BYTES(3);
  if (WRONG) return WRONG;
  if (out.length < sizeof pair) return -EFAULT;
#if defined(SOCK_CLOEXEC) && defined(SOCK_NONBLOCK)
  if (socketpair(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, proto, pair) != 0) return -errno;
#else
  if (socketpair(family, type, proto, pair) != 0) return -errno;
  for (int i = 0; i < 2; i++) {
    fcntl(pair[i], F_SETFD, FD_CLOEXEC);
    fcntl(pair[i], F_SETFL, O_NONBLOCK);
  }
#endif
  if (!own_room(a->state, pair[0] > pair[1] ? pair[0] : pair[1])) {
    close(pair[0]);
    close(pair[1]);
    return -ENOMEM;
  }
  own(a->state, pair[0]);
  own(a->state, pair[1]);
  memcpy(out.data, pair, sizeof pair);
  return 0;
}

void register_messages(napi_env env, napi_value exports) {
  EXPORT(recvfrom);
  EXPORT(sendto);
  EXPORT(recvmsg);
  EXPORT(sendmsg);
  EXPORT(socketpair);
}
