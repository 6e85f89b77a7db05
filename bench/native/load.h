// The load generator's state, shared by its parts: load.c (command line, time, result), connection.c (opening and closing
// connections), modes.c and websocket.c (what is said on them).
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/types.h>

#include "latency.h"

struct load;
struct connection;

// What a mode does when something happens on a connection.
struct mode {
  const char *name;
  bool opens_by_itself;  // start() opens the connection; otherwise all are opened before the first start()
  bool greets;           // one byte goes out as soon as it is connected
  uint32_t interest;     // the events to wait for then
  void (*opened)(struct load *, struct connection *);                  // it is connected, the greeting sent
  void (*start)(struct load *, struct connection *);                   // time begins to count
  void (*ready)(struct load *, struct connection *, uint32_t events);  // EPOLLIN, EPOLLOUT …
  bool holds;                          // nothing is measured: connections are held until standard input ends
  void (*prepare)(struct load *);      // makes messages other than the payload itself; NULL: they are that
};

struct connection {
  int fd;
  bool connecting;
  void *tls;           // NULL: none
  uint32_t interest;   // the events it is registered for
  bool upgraded;       // of websocket modes: the handshake is done
  unsigned matched;    // bytes of the empty line behind a head that came last
  size_t sent;         // bytes of the present message
  size_t received;
  int64_t started_ns;  // when the present message, or the connection, began
};

struct load {
  const struct mode *mode;
  int port;
  long connection_count;
  size_t bytes;          // of one message, one write or one read
  double seconds;
  double warmup_seconds;
  pid_t server_pid;      // 0: do not look
  bool tls;
  long handshakes_max;   // connections being opened at the same time

  int epoll;
  struct connection *connections;
  long begun;            // connections whose opening was begun
  long opened;           // connections that are ready for start()
  char *payload;         // `bytes` of a known pattern
  const char *message;   // what is sent: the payload, or a frame with it
  size_t message_bytes;
  const char *answer;    // what comes back
  size_t answer_bytes;
  long outstanding;      // connections that have not got the present broadcast
  char *incoming;        // room for one read
  size_t incoming_bytes;

  bool measuring;        // after the warm-up
  uint64_t count;        // messages, or connections, completed while measuring
  uint64_t byte_count;   // bytes moved while measuring (send, receive)
  int64_t now_ns;        // taken once per batch of events
  struct latency latency;
};

const struct mode *mode_named(const char *name);
extern const struct mode WEBSOCKET_MODES[];
extern const size_t WEBSOCKET_MODE_COUNT;

// What modes have in common.

// Bytes that came into `incoming`: 0 when there are none now. The server is not expected to end first.
size_t receive_some(struct load *load, struct connection *connection);
// Sends what is left of the present message, and then waits for its answer.
void pingpong_send(struct load *load, struct connection *connection);
void pingpong_start(struct load *load, struct connection *connection);
void pingpong_ready(struct load *load, struct connection *connection, uint32_t events);
void start_nothing(struct load *load, struct connection *connection);

// Begin a non-blocking connect; mode->opened follows, perhaps at once.
void connection_begin(struct load *load, struct connection *connection);
// Finish a connect whose descriptor became ready; fail() when it was refused.
void connection_finish(struct load *load, struct connection *connection);
// End it with a reset, so that no TIME_WAIT keeps its port, and begin the next on the same descriptor.
void connection_again(struct load *load, struct connection *connection);
// Change the events it is registered for.
void connection_watch(struct load *load, struct connection *connection, uint32_t events);
// The connection's place, for messages.
long connection_number(const struct load *load, const struct connection *connection);
// A connection is ready for start(): open the next one, if any is left.
void connection_opened(struct load *load);

#endif
