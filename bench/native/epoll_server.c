// The C peer: one thread, one level-triggered epoll loop, one shared buffer. About the least that a
// server over readiness can do, and so the limit that the others are compared with.
//   epoll_server echo|receive|discard|send|exchange|idle|http BACKLOG
// prints "port N" and serves 127.0.0.1 until it is killed, or whoever started it has died.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support.h"

enum { EVENTS_PER_BATCH = 1024, CHUNK_BYTES = 65536, SENDS_PER_TURN = 16, DESCRIPTORS = 16384, DISCARD_BYTES = 1 << 20 };

struct connection {
  int fd;
  char *held;  // what the kernel did not take yet, or NULL
  size_t held_bytes;
  size_t held_sent;
};

// What a job does when its connection is accepted, and when it can be read or written.
struct job {
  const char *name;
  uint32_t first_interest;
  void (*ready)(struct connection *, uint32_t events);
};

static int epoll;
static char chunk[CHUNK_BYTES];

static void watch(struct connection *connection, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = connection};
  if (epoll_ctl(epoll, EPOLL_CTL_MOD, connection->fd, &event) != 0) fail_errno("epoll_ctl");
}

static void end(struct connection *connection) {
  close(connection->fd);
  free(connection->held);
  free(connection);
}

// Bytes received into `chunk`; 0 when there are none now; -1 when the connection is over and was closed.
static ssize_t receive(struct connection *connection) {
  ssize_t got = recv(connection->fd, chunk, sizeof chunk, 0);
  if (got > 0) return got;
  if (got < 0 && errno == EAGAIN) return 0;
  end(connection);
  return -1;
}

// Bytes that the kernel took, perhaps 0; -1 when the connection is over and was closed.
static ssize_t transmit(struct connection *connection, const char *bytes, size_t size) {
  ssize_t took = send(connection->fd, bytes, size, MSG_NOSIGNAL);
  if (took >= 0) return took;
  if (errno == EAGAIN) return 0;
  end(connection);
  return -1;
}

static void hold(struct connection *connection, const char *bytes, size_t size) {
  connection->held = malloc(size);
  if (connection->held == NULL) fail("out of memory");
  memcpy(connection->held, bytes, size);
  connection->held_bytes = size;
  connection->held_sent = 0;
  watch(connection, EPOLLOUT);
}

static void send_held(struct connection *connection) {
  ssize_t took = transmit(connection, connection->held + connection->held_sent,
                          connection->held_bytes - connection->held_sent);
  if (took < 0) return;
  connection->held_sent += (size_t)took;
  if (connection->held_sent < connection->held_bytes) return;
  free(connection->held);
  connection->held = NULL;
  watch(connection, EPOLLIN);
}

static void echo_ready(struct connection *connection, uint32_t events) {
  (void)events;
  if (connection->held != NULL) {
    send_held(connection);
    return;
  }
  ssize_t got = receive(connection);
  if (got <= 0) return;
  ssize_t took = transmit(connection, chunk, (size_t)got);
  if (took >= 0 && took < got) hold(connection, chunk + took, (size_t)(got - took));
}

static void receive_ready(struct connection *connection, uint32_t events) {
  (void)events;
  receive(connection);
}

// TCP throws the bytes away without a copy (tcp(7), MSG_TRUNC): the end of a relay, which is to cost little.
static void discard_ready(struct connection *connection, uint32_t events) {
  (void)events;
  ssize_t got = recv(connection->fd, NULL, DISCARD_BYTES, MSG_TRUNC);
  if (got == 0 || (got < 0 && errno != EAGAIN)) end(connection);
}

static void send_ready(struct connection *connection, uint32_t events) {
  (void)events;
  for (int i = 0; i < SENDS_PER_TURN; i++)
    if (transmit(connection, chunk, sizeof chunk) <= 0) return;
}

static void exchange_ready(struct connection *connection, uint32_t events) {
  (void)events;
  ssize_t got = receive(connection);
  if (got <= 0) return;
  if (transmit(connection, chunk, (size_t)got) >= 0) end(connection);
}

// A fixed answer of HTTP to each head that came whole, which on loopback, one request at a time, is each.
static void http_ready(struct connection *connection, uint32_t events) {
  static const char answer[] =
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
      "Content-Length: 5\r\n\r\nhello";
  (void)events;
  ssize_t got = receive(connection);
  if (got <= 0) return;
  if (got < 4 || memcmp(chunk + got - 4, "\r\n\r\n", 4) != 0) fail("a request in pieces");
  transmit(connection, answer, sizeof answer - 1);
}

static const struct job JOBS[] = {
    {"echo", EPOLLIN, echo_ready},
    {"receive", EPOLLIN, receive_ready},
    {"discard", EPOLLIN, discard_ready},
    {"send", EPOLLOUT, send_ready},
    {"exchange", EPOLLIN, exchange_ready},
    {"idle", EPOLLIN, echo_ready},
    {"http", EPOLLIN, http_ready},
};

static const struct job *job_named(const char *name) {
  for (size_t i = 0; i < sizeof JOBS / sizeof JOBS[0]; i++)
    if (strcmp(JOBS[i].name, name) == 0) return &JOBS[i];
  fail("the job \"%s\" is none of echo, receive, discard, send, exchange, idle, http", name);
}

static int listen_on_loopback(int backlog) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener < 0) fail_errno("socket");
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, size) != 0) fail_errno("bind");
  if (listen(listener, backlog) != 0) fail_errno("listen");
  if (getsockname(listener, (struct sockaddr *)&address, &size) != 0) fail_errno("getsockname");
  printf("port %d\n", ntohs(address.sin_port));
  fflush(stdout);
  return listener;
}

static void accept_all(int listener, const struct job *job) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EAGAIN) return;
      if (errno == ECONNABORTED || errno == EINTR) continue;
      fail_errno("accept4");
    }
    set_nodelay(fd);
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) fail("out of memory");
    connection->fd = fd;
    struct epoll_event event = {.events = job->first_interest, .data.ptr = connection};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) fail_errno("epoll_ctl");
  }
}

int main(int count, char **arguments) {
  if (count != 3) fail("usage: epoll_server echo|receive|discard|send|exchange|idle|http BACKLOG");
  const struct job *job = job_named(arguments[1]);
  int backlog = (int)parse_integer("backlog", arguments[2], 1, 65535);
  allow_descriptors(DESCRIPTORS);
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail_errno("prctl");

  epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) fail_errno("epoll_create1");
  int listener = listen_on_loopback(backlog);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0) fail_errno("epoll_ctl");

  for (;;) {
    struct epoll_event events[EVENTS_PER_BATCH];
    int ready = epoll_wait(epoll, events, EVENTS_PER_BATCH, -1);
    if (ready < 0 && errno != EINTR) fail_errno("epoll_wait");
    for (int i = 0; i < ready; i++) {
      if (events[i].data.ptr == NULL)
        accept_all(listener, job);
      else
        job->ready(events[i].data.ptr, events[i].events);
    }
  }
}
