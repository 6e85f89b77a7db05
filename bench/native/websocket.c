// What the generator says over WebSocket (RFC 6455): the handshake, and then messages of bytes in one frame each. The
// frames are made beforehand, all with one key: servers must unmask whatever it is.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "load.h"
#include "support.h"

enum { HEAD_BYTES_MAX = 14, BINARY_FRAME = 0x82, MASKED = 0x80 };

static const char REQUEST[] =
    "GET /bench HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
static const char END_OF_HEAD[] = "\r\n\r\n";
static const unsigned char KEY[4] = {0x37, 0xfa, 0x21, 0x3d};

// A frame with the payload; its size. `masked`: as a client sends it.
static char *make_frame(const struct load *load, bool masked, size_t *size) {
  unsigned char *frame = malloc(HEAD_BYTES_MAX + load->bytes);
  if (frame == NULL) fail("out of memory");
  size_t at = 2;
  unsigned char mask_bit = masked ? MASKED : 0;
  frame[0] = BINARY_FRAME;
  if (load->bytes < 126) {
    frame[1] = mask_bit | (unsigned char)load->bytes;
  } else {
    int length_bytes = load->bytes < 65536 ? 2 : 8;
    frame[1] = mask_bit | (length_bytes == 2 ? 126 : 127);
    for (int i = length_bytes - 1; i >= 0; i--) frame[at++] = (unsigned char)((uint64_t)load->bytes >> (8 * i));
  }
  if (masked) {
    memcpy(frame + at, KEY, sizeof KEY);
    at += sizeof KEY;
  }
  for (size_t i = 0; i < load->bytes; i++)
    frame[at + i] = (unsigned char)load->payload[i] ^ (masked ? KEY[i & 3] : 0);
  *size = at + load->bytes;
  return (char *)frame;
}

static void prepare(struct load *load) {
  load->message = make_frame(load, true, &load->message_bytes);
  load->answer = make_frame(load, false, &load->answer_bytes);
}

static void ask(struct load *load, struct connection *connection) {
  ssize_t took = send(connection->fd, REQUEST, sizeof REQUEST - 1, MSG_NOSIGNAL);
  if (took != (ssize_t)sizeof REQUEST - 1)
    fail_errno("handshake on connection %ld", connection_number(load, connection));
}

// Reads the answer to the handshake, behind which nothing comes yet; false: it is not all here.
static bool upgrade(struct load *load, struct connection *connection) {
  size_t got = receive_some(load, connection);
  if (got > 12 && connection->matched == 0 && memcmp(load->incoming, "HTTP/1.1 101", 12) != 0)
    fail("connection %ld: no 101", connection_number(load, connection));
  for (size_t i = 0; i < got; i++) {
    char byte = load->incoming[i];
    connection->matched = byte == END_OF_HEAD[connection->matched] ? connection->matched + 1 : byte == '\r';
    if (connection->matched < sizeof END_OF_HEAD - 1) continue;
    if (i + 1 < got) fail("connection %ld: something behind the handshake", connection_number(load, connection));
    connection->upgraded = true;
    return true;
  }
  return false;
}

// ws-pingpong: as pingpong.

static void echo_ready(struct load *load, struct connection *connection, uint32_t events) {
  if (connection->upgraded)
    pingpong_ready(load, connection, events);
  else if (upgrade(load, connection))
    connection_opened(load);
}

// ws-broadcast: the first connection sends a message, which comes to all of them; when all have it, the next one. A count
// is one message to one connection.

static void broadcast(struct load *load) {
  struct connection *first = load->connections;
  load->outstanding = load->connection_count;
  first->sent = 0;
  first->started_ns = now_ns();
  pingpong_send(load, first);
}

static void broadcast_start(struct load *load, struct connection *connection) {
  if (connection == load->connections) broadcast(load);
}

static void broadcast_ready(struct load *load, struct connection *connection, uint32_t events) {
  if (!connection->upgraded) {
    if (upgrade(load, connection)) connection_opened(load);
    return;
  }
  if (events & EPOLLOUT) pingpong_send(load, connection);
  if (!(events & ~(uint32_t)EPOLLOUT)) return;
  size_t got = receive_some(load, connection);
  if (connection->received + got > load->answer_bytes)
    fail("connection %ld: more came than was sent", connection_number(load, connection));
  if (!load->measuring && memcmp(load->incoming, load->answer + connection->received, got) != 0)
    fail("connection %ld: other bytes came than were sent", connection_number(load, connection));
  connection->received += got;
  if (connection->received < load->answer_bytes) return;
  connection->received = 0;
  if (load->measuring) load->count++;
  if (--load->outstanding > 0) return;
  if (load->measuring) latency_record(&load->latency, now_ns() - load->connections->started_ns);
  broadcast(load);
}

// ws-idle: the handshake, a message each way, and then nothing.

static void idle_ready(struct load *load, struct connection *connection, uint32_t events) {
  (void)events;
  if (!connection->upgraded) {
    if (upgrade(load, connection)) pingpong_send(load, connection);
    return;
  }
  size_t got = receive_some(load, connection);
  if (got == 0) return;
  connection->received += got;
  if (connection->received > load->answer_bytes)
    fail("connection %ld is not idle", connection_number(load, connection));
  if (connection->received == load->answer_bytes) connection_opened(load);
}

const struct mode WEBSOCKET_MODES[] = {
    {"ws-pingpong", false, false, EPOLLIN, ask, pingpong_start, echo_ready, false, prepare},
    {"ws-broadcast", false, false, EPOLLIN, ask, broadcast_start, broadcast_ready, false, prepare},
    {"ws-idle", false, false, EPOLLIN, ask, start_nothing, idle_ready, true, prepare},
};
const size_t WEBSOCKET_MODE_COUNT = sizeof WEBSOCKET_MODES / sizeof WEBSOCKET_MODES[0];
