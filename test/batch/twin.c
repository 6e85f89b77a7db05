// The calls of batches as a C program makes them, for the tests to compare with:
//   twin receive PORT COUNT   recvmmsg with UDP_GRO until COUNT datagrams came; a line "LENGTH SEGMENT PORT SUM" a message
//   twin send PORT SIZE COUNT sendmmsg of one message with UDP_SEGMENT: COUNT datagrams of SIZE bytes and a last of one
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#ifndef SOL_UDP
#define SOL_UDP 17
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#define UDP_GRO 104
#endif

enum { MESSAGES = 16, BYTES = 65535 };

static void check(int result, const char *what) {
  if (result >= 0) return;
  perror(what);
  exit(1);
}

static int receive(int fd, int count) {
  static char data[MESSAGES][BYTES];
  int on = 1, got = 0;
  check(setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof on), "UDP_GRO");
  struct sockaddr_in local;
  socklen_t length = sizeof local;
  check(getsockname(fd, (struct sockaddr *)&local, &length), "getsockname");
  printf("port %d\n", ntohs(local.sin_port));
  fflush(stdout);
  while (got < count) {
    struct mmsghdr messages[MESSAGES];
    struct iovec parts[MESSAGES];
    struct sockaddr_in from[MESSAGES];
    char control[MESSAGES][CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < MESSAGES; i++) {
      parts[i] = (struct iovec){data[i], BYTES};
      messages[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                            .msg_namelen = sizeof from[i],
                                            .msg_iov = &parts[i],
                                            .msg_iovlen = 1,
                                            .msg_control = control[i],
                                            .msg_controllen = sizeof control[i]};
    }
    int n = recvmmsg(fd, messages, MESSAGES, MSG_WAITFORONE, NULL);
    check(n, "recvmmsg");
    for (int i = 0; i < n; i++) {
      int segment = 0;
      unsigned sum = 0;
      struct msghdr *m = &messages[i].msg_hdr;
      for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c))
        if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) memcpy(&segment, CMSG_DATA(c), sizeof segment);
      int bytes = (int)messages[i].msg_len;
      for (int at = 0; at < bytes; at++) sum = sum * 31 + (unsigned char)data[i][at];
      printf("%d %d %d %u\n", bytes, segment, ntohs(from[i].sin_port), sum);
      got += segment == 0 ? 1 : (bytes + segment - 1) / segment;
    }
  }
  return 0;
}

static int send_one(int fd, int port, int size, int count) {
  static char data[BYTES];
  for (int i = 0; i < size * count; i++) data[i] = (char)(i / size);
  data[size * count] = 'z';
  struct sockaddr_in to = {.sin_family = AF_INET,
                           .sin_port = htons((unsigned short)port),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct iovec part = {data, (size_t)(size * count + 1)};
  char control[CMSG_SPACE(sizeof(unsigned short))] __attribute__((aligned(8))) = {0};
  struct mmsghdr message = {.msg_hdr = {.msg_name = &to,
                                        .msg_namelen = sizeof to,
                                        .msg_iov = &part,
                                        .msg_iovlen = 1,
                                        .msg_control = control,
                                        .msg_controllen = sizeof control}};
  struct cmsghdr *c = CMSG_FIRSTHDR(&message.msg_hdr);
  c->cmsg_level = SOL_UDP;
  c->cmsg_type = UDP_SEGMENT;
  c->cmsg_len = CMSG_LEN(sizeof(unsigned short));
  unsigned short segment = (unsigned short)size;
  memcpy(CMSG_DATA(c), &segment, sizeof segment);
  int n = sendmmsg(fd, &message, 1, 0);
  check(n, "sendmmsg");
  printf("sent %d\n", n);
  return 0;
}

int main(int count, char **arguments) {
  if (count < 4) return 2;
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  check(fd, "socket");
  struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  check(bind(fd, (struct sockaddr *)&local, sizeof local), "bind");
  if (strcmp(arguments[1], "receive") == 0) return receive(fd, atoi(arguments[3]));
  return count < 5 ? 2 : send_one(fd, atoi(arguments[2]), atoi(arguments[3]), atoi(arguments[4]));
}
