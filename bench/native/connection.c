// Opening and closing the generator's connections. Knows nothing of what is said on them.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"
#include "support.h"
#include "tls.h"

// One source address has 28,232 ports for one destination (ip_local_port_range); the next 20,000
// connections come from the next address of 127.0.0.0/8.
enum { CONNECTIONS_PER_SOURCE = 20000 };

// Not in every libc's headers. Linux 4.2: bind(2) fixes the address and leaves the port to connect(2).
#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

long connection_number(const struct load *load, const struct connection *connection) {
  return connection - load->connections;
}

static void bind_source(int fd, long source) {
  int on = 1;
  if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) != 0)
    fail_errno("IP_BIND_ADDRESS_NO_PORT");
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)source)};
  if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) fail_errno("bind to 127.0.0.%ld", source + 1);
}

// Closing resets: an end of ours would leave a TIME_WAIT behind for each connection.
static void close_by_reset(int fd) {
  struct linger linger = {.l_onoff = 1, .l_linger = 0};
  if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) != 0) fail_errno("SO_LINGER");
}

// Send the greeting, if the mode has one. On loopback a connect is mostly over by the time connect(2)
// returns, EINPROGRESS or not; so this is tried first, and spares a turn of the loop.
static bool greet(struct load *load, const struct connection *connection) {
  if (!load->mode->greets) return false;
  ssize_t took = send(connection->fd, load->payload, 1, MSG_NOSIGNAL);
  if (took < 0 && errno != EAGAIN)
    fail_errno("greeting on connection %ld", connection_number(load, connection));
  return took == 1;
}

// connect(2), and the greeting if that can go at once.
static void dial(struct load *load, struct connection *connection) {
  connection->started_ns = load->now_ns;
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)load->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (connect(connection->fd, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS)
    fail_errno("connection %ld to port %d", connection_number(load, connection), load->port);
  connection->connecting = !greet(load, connection);
}

static uint32_t wanted(const struct load *load, const struct connection *connection) {
  return connection->connecting ? EPOLLOUT : load->mode->interest;
}

void connection_begin(struct load *load, struct connection *connection) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) fail_errno("socket for connection %ld", connection_number(load, connection));
  set_nodelay(fd);
  close_by_reset(fd);
  long source = connection_number(load, connection) / CONNECTIONS_PER_SOURCE;
  if (source > 0) bind_source(fd, source);

  *connection = (struct connection){.fd = fd};
  dial(load, connection);
  connection->interest = wanted(load, connection);
  struct epoll_event event = {.events = connection->interest, .data.ptr = connection};
  if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, fd, &event) != 0) fail_errno("epoll_ctl");
  if (!connection->connecting) load->mode->opened(load, connection);
}

// connect(2) to nowhere resets what there is and leaves the socket as new. It spares the generator a socket, a close and
// two registrations per connection; with them it was its own limit, not the server.
void connection_again(struct load *load, struct connection *connection) {
  struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
  if (connect(connection->fd, &nowhere, sizeof nowhere) != 0) fail_errno("disconnect");
  dial(load, connection);
  connection_watch(load, connection, wanted(load, connection));
  if (!connection->connecting) load->mode->opened(load, connection);
}

void connection_finish(struct load *load, struct connection *connection) {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) fail_errno("SO_ERROR");
  if (error != 0)
    fail("connection %ld to port %d: %s", connection_number(load, connection), load->port, strerror(error));
  if (load->mode->greets && !greet(load, connection))
    fail("connection %ld has no room for one byte", connection_number(load, connection));
  connection->connecting = false;
  if (load->tls) connection->tls = tls_open(connection->fd);
  connection_watch(load, connection, load->mode->interest);
  load->mode->opened(load, connection);
}

void connection_watch(struct load *load, struct connection *connection, uint32_t events) {
  if (connection->interest == events) return;
  connection->interest = events;
  struct epoll_event event = {.events = events, .data.ptr = connection};
  if (epoll_ctl(load->epoll, EPOLL_CTL_MOD, connection->fd, &event) != 0) fail_errno("epoll_ctl");
}

void connection_opened(struct load *load) {
  load->opened++;
  if (load->begun < load->connection_count) connection_begin(load, &load->connections[load->begun++]);
}
