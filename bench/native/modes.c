// What the generator says on its connections, a mode each. Knows nothing of time or results but the
// counters of struct load.
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"
#include "support.h"
#include "tls.h"

// A write or a read loop leaves its connection after this many calls, so that the others get their turn.
enum { CALLS_PER_TURN = 16 };

size_t receive_some(struct load *load, struct connection *connection) {
  ssize_t got = connection->tls == NULL ? recv(connection->fd, load->incoming, load->incoming_bytes, 0)
                                        : tls_receive(connection->tls, load->incoming, load->incoming_bytes);
  if (got < 0 && errno != EAGAIN) fail_errno("recv on connection %ld", connection_number(load, connection));
  if (got == 0) fail("connection %ld: the server ended it", connection_number(load, connection));
  return got < 0 ? 0 : (size_t)got;
}

// Bytes of the message from `sent` on that the kernel took: 0 when it takes none now.
static size_t send_some(struct load *load, struct connection *connection) {
  const char *rest = load->message + connection->sent;
  size_t left = load->message_bytes - connection->sent;
  ssize_t took = connection->tls == NULL ? send(connection->fd, rest, left, MSG_NOSIGNAL)
                                         : tls_send(connection->tls, rest, left);
  if (took < 0 && errno != EAGAIN) fail_errno("send on connection %ld", connection_number(load, connection));
  return took < 0 ? 0 : (size_t)took;
}

static void counted(struct load *load, struct connection *connection) {
  (void)connection;
  connection_opened(load);
}

void start_nothing(struct load *load, struct connection *connection) {
  (void)load;
  (void)connection;
}

// pingpong: send a message, wait until its answer has come back, and so on.

void pingpong_send(struct load *load, struct connection *connection) {
  while (connection->sent < load->message_bytes) {
    size_t took = send_some(load, connection);
    if (took == 0) {
      connection_watch(load, connection, EPOLLIN | EPOLLOUT);
      return;
    }
    connection->sent += took;
  }
  connection_watch(load, connection, EPOLLIN);
}

void pingpong_start(struct load *load, struct connection *connection) {
  connection->sent = 0;
  connection->received = 0;
  connection->started_ns = now_ns();
  pingpong_send(load, connection);
}

static void pingpong_receive(struct load *load, struct connection *connection) {
  size_t got = receive_some(load, connection);
  if (connection->received + got > load->answer_bytes)
    fail("connection %ld: more came back than was sent", connection_number(load, connection));
  if (!load->measuring && memcmp(load->incoming, load->answer + connection->received, got) != 0)
    fail("connection %ld: other bytes came back than were sent", connection_number(load, connection));
  connection->received += got;
  if (connection->received < load->answer_bytes) return;
  if (load->measuring) {
    latency_record(&load->latency, now_ns() - connection->started_ns);
    load->count++;
  }
  pingpong_start(load, connection);
}

void pingpong_ready(struct load *load, struct connection *connection, uint32_t events) {
  if (events & EPOLLOUT) pingpong_send(load, connection);
  if (events & ~(uint32_t)EPOLLOUT) pingpong_receive(load, connection);
}

// send: write without a pause.

static void send_start(struct load *load, struct connection *connection) {
  connection_watch(load, connection, EPOLLIN | EPOLLOUT);
}

static void send_ready(struct load *load, struct connection *connection, uint32_t events) {
  if (events & ~(uint32_t)EPOLLOUT) {
    // Under TLS, tickets come, and nothing in them.
    if (receive_some(load, connection) > 0 || connection->tls == NULL)
      fail("connection %ld: the server sent something", connection_number(load, connection));
  }
  for (int call = 0; call < CALLS_PER_TURN; call++) {
    size_t took = send_some(load, connection);
    if (took == 0) return;
    if (load->measuring) load->byte_count += took;
  }
}

// receive: read without a pause.

static void receive_ready(struct load *load, struct connection *connection, uint32_t events) {
  (void)events;
  for (int call = 0; call < CALLS_PER_TURN; call++) {
    size_t got = receive_some(load, connection);
    if (got == 0) return;
    if (load->measuring) load->byte_count += got;
  }
}

// connect: connect, a byte each way, wait until the server has closed, reset; again. EPOLLRDHUP, which
// it waits for, comes with the server's end, and so after its byte.

static void connect_ready(struct load *load, struct connection *connection, uint32_t events) {
  (void)events;
  size_t got = receive_some(load, connection);
  if (got != 1) fail("connection %ld: %zu bytes came back, not 1", connection_number(load, connection), got);
  if (load->measuring) {
    latency_record(&load->latency, now_ns() - connection->started_ns);
    load->count++;
  }
  load->now_ns = now_ns();
  connection_again(load, connection);
}

// idle: connect, a byte each way, and then nothing: the server's handler waits in its next receive.

static void idle_ready(struct load *load, struct connection *connection, uint32_t events) {
  (void)events;
  size_t got = receive_some(load, connection);
  if (got == 0) return;
  connection->received += got;
  if (connection->received != 1) fail("connection %ld is not idle", connection_number(load, connection));
  connection_opened(load);
}

static const struct mode MODES[] = {
    {"pingpong", false, false, EPOLLIN, counted, pingpong_start, pingpong_ready, false, NULL},
    {"send", false, false, EPOLLIN, counted, send_start, send_ready, false, NULL},
    {"receive", false, false, EPOLLIN, counted, start_nothing, receive_ready, false, NULL},
    {"connect", true, true, EPOLLRDHUP, start_nothing, connection_begin, connect_ready, false, NULL},
    {"idle", false, true, EPOLLIN, start_nothing, start_nothing, idle_ready, true, NULL},
};

static const struct mode *find(const struct mode *modes, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(modes[i].name, name) == 0) return &modes[i];
  return NULL;
}

const struct mode *mode_named(const char *name) {
  const struct mode *mode = find(MODES, sizeof MODES / sizeof MODES[0], name);
  return mode != NULL ? mode : find(WEBSOCKET_MODES, WEBSOCKET_MODE_COUNT, name);
}
