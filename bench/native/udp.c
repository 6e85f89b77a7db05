// UDP over loopback in C: one of the peers, and with the same jobs the generator and the sink of the others. Each job is a
// loop as its man page has it; a thread answers the harness (servers/control.ts) meanwhile.
//
//   udp-receive        recvfrom, one datagram a call
//   udp-receive-batch  recvmmsg
//   udp-receive-gro    recvmmsg with UDP_GRO
//   udp-send           send, one datagram a call
//   udp-send-batch     sendmmsg
//   udp-send-gso       sendmmsg of messages with UDP_SEGMENT
#define _GNU_SOURCE
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support.h"

#ifndef SOL_UDP
#define SOL_UDP 17
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103 // Linux 4.18
#define UDP_GRO 104     // Linux 5.0
#endif

enum {
  DATAGRAM_BYTES = 1200,
  MESSAGES = 64,
  GRO_BYTES = 65535,
  SEGMENTS = 50, // of 1200 bytes: 60,000 in a message
  QUEUE_BYTES = 1 << 22
};

static _Atomic unsigned long long datagrams, bytes;
static _Atomic int target;

static void count(unsigned long long more_datagrams, unsigned long long more_bytes) {
  atomic_fetch_add_explicit(&datagrams, more_datagrams, memory_order_relaxed);
  atomic_fetch_add_explicit(&bytes, more_bytes, memory_order_relaxed);
}

static void *obey(void *unused) {
  char line[256];
  int port;
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (strcmp(line, "count\n") == 0)
      printf("{\"datagrams\":%llu,\"bytes\":%llu,\"ms\":%.3f}\n", datagrams, bytes, (double)now_ns() / 1e6);
    else if (sscanf(line, "target %d", &port) == 1) {
      target = port;
      puts("{}");
    } else
      fail("unknown command %s", line);
    fflush(stdout);
  }
  _exit(0);
  return unused;
}

static void check_sender(const struct sockaddr_in *from) {
  if (from->sin_family != AF_INET || from->sin_port == 0) fail("a datagram from nowhere");
}

static void receive_one_by_one(int fd) {
  static char data[2048];
  for (;;) {
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    ssize_t got = recvfrom(fd, data, sizeof data, 0, (struct sockaddr *)&from, &length);
    if (got < 0) fail_errno("recvfrom");
    check_sender(&from);
    count(1, (unsigned long long)got);
  }
}

static void receive_many(int fd, bool gro) {
  static char data[MESSAGES][GRO_BYTES];
  static char control[MESSAGES][CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
  static struct mmsghdr messages[MESSAGES];
  static struct iovec parts[MESSAGES];
  static struct sockaddr_in from[MESSAGES];
  int on = 1;
  if (gro && setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof on) != 0) fail_errno("UDP_GRO");
  for (;;) {
    for (int i = 0; i < MESSAGES; i++) {
      parts[i] = (struct iovec){data[i], gro ? GRO_BYTES : 2048};
      messages[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                            .msg_namelen = sizeof from[i],
                                            .msg_iov = &parts[i],
                                            .msg_iovlen = 1,
                                            .msg_control = control[i],
                                            .msg_controllen = sizeof control[i]};
    }
    int got = recvmmsg(fd, messages, MESSAGES, MSG_WAITFORONE, NULL);
    if (got < 0) fail_errno("recvmmsg");
    unsigned long long more = 0, more_bytes = 0;
    for (int i = 0; i < got; i++) {
      int segment = 0;
      struct cmsghdr *header = CMSG_FIRSTHDR(&messages[i].msg_hdr);
      if (header != NULL && header->cmsg_type == UDP_GRO) memcpy(&segment, CMSG_DATA(header), sizeof segment);
      int length = (int)messages[i].msg_len;
      check_sender(&from[i]);
      more += segment == 0 ? 1 : (unsigned long long)((length + segment - 1) / segment);
      more_bytes += (unsigned long long)length;
    }
    count(more, more_bytes);
  }
}

static void send_one_by_one(int fd, const char *data) {
  for (;;) {
    ssize_t sent = send(fd, data, DATAGRAM_BYTES, 0);
    if (sent < 0) fail_errno("send");
    count(1, (unsigned long long)sent);
  }
}

static void send_many(int fd, char *data, bool gso) {
  static struct mmsghdr messages[MESSAGES];
  static char control[CMSG_SPACE(sizeof(unsigned short))] __attribute__((aligned(8)));
  size_t length = gso ? SEGMENTS * DATAGRAM_BYTES : DATAGRAM_BYTES;
  struct iovec part = {data, length};
  for (int i = 0; i < MESSAGES; i++)
    messages[i].msg_hdr = (struct msghdr){.msg_iov = &part, .msg_iovlen = 1};
  if (gso)
    for (int i = 0; i < MESSAGES; i++) {
      messages[i].msg_hdr.msg_control = control;
      messages[i].msg_hdr.msg_controllen = sizeof control;
      struct cmsghdr *header = CMSG_FIRSTHDR(&messages[i].msg_hdr);
      *header = (struct cmsghdr){.cmsg_len = CMSG_LEN(2), .cmsg_level = SOL_UDP, .cmsg_type = UDP_SEGMENT};
      memcpy(CMSG_DATA(header), &(unsigned short){DATAGRAM_BYTES}, 2);
    }
  // With GSO a few messages are as many bytes as a call has without it.
  unsigned int most = gso ? 2 : MESSAGES;
  for (;;) {
    int sent = sendmmsg(fd, messages, most, 0);
    if (sent < 0) fail_errno("sendmmsg");
    count((unsigned long long)sent * (gso ? SEGMENTS : 1), (unsigned long long)sent * length);
  }
}

int main(int argument_count, char **arguments) {
  const char *job = argument_count > 1 ? arguments[1] : "";
  bool sends = strncmp(job, "udp-send", 8) == 0;
  int fd = socket(AF_INET, SOCK_DGRAM, 0), queue = QUEUE_BYTES;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) != 0 ||
      getsockname(fd, (struct sockaddr *)&address, &length) != 0)
    fail_errno("a socket on loopback");
  if (setsockopt(fd, SOL_SOCKET, sends ? SO_SNDBUF : SO_RCVBUF, &queue, sizeof queue) != 0) fail_errno("buffers");
  printf("port %d\n", ntohs(address.sin_port));
  fflush(stdout);
  pthread_t thread;
  if (pthread_create(&thread, NULL, obey, NULL) != 0) fail("no thread");

  if (strcmp(job, "udp-receive") == 0) receive_one_by_one(fd);
  if (strcmp(job, "udp-receive-batch") == 0) receive_many(fd, false);
  if (strcmp(job, "udp-receive-gro") == 0) receive_many(fd, true);
  if (!sends) fail("the job \"%s\" is none of udp.c's", job);
  while (target == 0) usleep(1000);
  address.sin_port = htons((unsigned short)target);
  static char data[SEGMENTS * DATAGRAM_BYTES];
  for (size_t i = 0; i < sizeof data; i++) data[i] = (char)(i * 31 + 7);
  if (connect(fd, (struct sockaddr *)&address, length) != 0) fail_errno("connect");
  if (strcmp(job, "udp-send") == 0) send_one_by_one(fd, data);
  send_many(fd, data, strcmp(job, "udp-send-gso") == 0);
}
