// The load generator: many TCP connections to a server on loopback, driven by one thread over epoll.
// This part reads the command line, keeps the time and prints the result as one line of JSON.
// "ready" is printed when all connections stand, "begin" when the warm-up is over.
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "load.h"
#include "support.h"
#include "tls.h"

enum { EVENTS_PER_BATCH = 1024, INCOMING_BYTES_MIN = 65536, SPARE_DESCRIPTORS = 32 };

static const char USAGE[] =
    "usage: load --mode MODE --port PORT\n"
    "  MODE: pingpong, send, receive, connect, idle, ws-pingpong, ws-broadcast, ws-idle\n"
    "  --connections N   at the same time (1)\n"
    "  --bytes N         of one message, one write or one read (64)\n"
    "  --seconds S       to measure (3)\n"
    "  --warmup S        before measuring (1)\n"
    "  --server-pid PID  whose processor time is taken over the measured seconds\n"
    "  --handshakes N    connections being opened at the same time (128)\n"
    "  --tls             under TLS; not with connect and those of idle connections and WebSockets\n"
    "idle and ws-idle hold their connections until standard input ends.\n";

static void read_options(struct load *load, int count, char **arguments) {
  enum { MODE, PORT, CONNECTIONS, BYTES, SECONDS, WARMUP, SERVER_PID, HANDSHAKES, TLS, HELP };
  static const struct option OPTIONS[] = {
      {"mode", required_argument, NULL, MODE},
      {"port", required_argument, NULL, PORT},
      {"connections", required_argument, NULL, CONNECTIONS},
      {"bytes", required_argument, NULL, BYTES},
      {"seconds", required_argument, NULL, SECONDS},
      {"warmup", required_argument, NULL, WARMUP},
      {"server-pid", required_argument, NULL, SERVER_PID},
      {"handshakes", required_argument, NULL, HANDSHAKES},
      {"tls", no_argument, NULL, TLS},
      {"help", no_argument, NULL, HELP},
      {NULL, 0, NULL, 0},
  };
  int option;
  while ((option = getopt_long(count, arguments, "", OPTIONS, NULL)) != -1) {
    switch (option) {
      case MODE:
        load->mode = mode_named(optarg);
        if (load->mode == NULL) fail("--mode does not know \"%s\"\n%s", optarg, USAGE);
        break;
      case PORT: load->port = (int)parse_integer("port", optarg, 1, 65535); break;
      case CONNECTIONS: load->connection_count = parse_integer("connections", optarg, 1, 1000000); break;
      case BYTES: load->bytes = (size_t)parse_integer("bytes", optarg, 1, 1 << 26); break;
      case SECONDS: load->seconds = parse_decimal("seconds", optarg, 0.01, 3600); break;
      case WARMUP: load->warmup_seconds = parse_decimal("warmup", optarg, 0, 3600); break;
      case SERVER_PID: load->server_pid = (pid_t)parse_integer("server-pid", optarg, 1, 1 << 30); break;
      case HANDSHAKES: load->handshakes_max = parse_integer("handshakes", optarg, 1, 65535); break;
      case TLS: load->tls = true; break;
      case HELP: fputs(USAGE, stdout); exit(0);
      default: fail("%s", USAGE);
    }
  }
  if (optind != count) fail("what is \"%s\"?\n%s", arguments[optind], USAGE);
  if (load->mode == NULL || load->port == 0) fail("--mode and --port are needed\n%s", USAGE);
  if (load->tls && load->mode->greets) fail("--tls is not for this mode\n%s", USAGE);
  if (load->tls) tls_load();
}

// Processor seconds, user and system, of a whole process so far (proc(5), stat fields 14 and 15).
static double processor_seconds_of(pid_t pid) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  FILE *file = fopen(path, "r");
  if (file == NULL) fail_errno("%s", path);
  size_t size = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[size] = '\0';
  // The name in field 2 may hold anything; what follows its last parenthesis is fields 3 and on.
  const char *fields = strrchr(text, ')');
  unsigned long user, system;
  if (fields == NULL ||
      sscanf(fields + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
    fail("%s is not what proc(5) says", path);
  return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static double processor_seconds_own(void) {
  struct rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) != 0) fail_errno("getrusage");
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

// Wait at most `timeout_ms` for events, and hand each to the connection's mode.
static void run_batch(struct load *load, int timeout_ms) {
  struct epoll_event events[EVENTS_PER_BATCH];
  int count = epoll_wait(load->epoll, events, EVENTS_PER_BATCH, timeout_ms);
  if (count < 0 && errno != EINTR) fail_errno("epoll_wait");
  load->now_ns = now_ns();
  for (int i = 0; i < count; i++) {
    struct connection *connection = events[i].data.ptr;
    if (connection->connecting)
      connection_finish(load, connection);
    else
      load->mode->ready(load, connection, events[i].events);
  }
}

static void run_for(struct load *load, double seconds) {
  int64_t end = now_ns() + (int64_t)(seconds * 1e9);
  for (;;) {
    int64_t left_ns = end - now_ns();
    if (left_ns <= 0) return;
    run_batch(load, (int)(left_ns / 1000000) + 1);
  }
}

static void open_all(struct load *load) {
  long first = load->connection_count < load->handshakes_max ? load->connection_count : load->handshakes_max;
  load->now_ns = now_ns();
  while (load->begun < first) connection_begin(load, &load->connections[load->begun++]);
  while (load->opened < load->connection_count) run_batch(load, -1);
}

static void hold_until_input_ends(struct load *load) {
  struct pollfd waiting[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = load->epoll, .events = POLLIN}};
  for (;;) {
    if (poll(waiting, 2, -1) < 0 && errno != EINTR) fail_errno("poll");
    if (waiting[1].revents) run_batch(load, 0);
    char ignored[256];
    if (waiting[0].revents && read(STDIN_FILENO, ignored, sizeof ignored) <= 0) return;
  }
}

static void measure(struct load *load) {
  for (long i = 0; i < load->connection_count; i++) load->mode->start(load, &load->connections[i]);
  run_for(load, load->warmup_seconds);

  puts("begin");
  fflush(stdout);
  load->measuring = true;
  double server_before = load->server_pid ? processor_seconds_of(load->server_pid) : 0;
  double own_before = processor_seconds_own();
  int64_t began = now_ns();
  run_for(load, load->seconds);
  double elapsed = (double)(now_ns() - began) * 1e-9;
  double own = processor_seconds_own() - own_before;
  double server = load->server_pid ? processor_seconds_of(load->server_pid) - server_before : 0;

  const struct latency *latency = &load->latency;
  printf("{\"mode\":\"%s\",\"seconds\":%.6f,\"count\":%llu,\"bytes\":%llu,\"serverSeconds\":%.3f,\"loadSeconds\":%.3f,"
         "\"latencyUs\":{\"p50\":%.2f,\"p99\":%.2f,\"p999\":%.2f,\"max\":%.2f}}\n",
         load->mode->name, elapsed, (unsigned long long)load->count, (unsigned long long)load->byte_count, server, own,
         latency_percentile(latency, 0.5) / 1e3, latency_percentile(latency, 0.99) / 1e3,
         latency_percentile(latency, 0.999) / 1e3, (double)latency->maximum_ns / 1e3);
}

int main(int count, char **arguments) {
  static struct load load = {
      .connection_count = 1, .bytes = 64, .seconds = 3, .warmup_seconds = 1, .handshakes_max = 128};
  read_options(&load, count, arguments);
  allow_descriptors(load.connection_count + SPARE_DESCRIPTORS);

  load.epoll = epoll_create1(EPOLL_CLOEXEC);
  if (load.epoll < 0) fail_errno("epoll_create1");
  load.incoming_bytes = load.bytes < INCOMING_BYTES_MIN ? INCOMING_BYTES_MIN : load.bytes;
  load.connections = calloc((size_t)load.connection_count, sizeof *load.connections);
  load.payload = malloc(load.bytes);
  load.incoming = malloc(load.incoming_bytes);
  if (load.connections == NULL || load.payload == NULL || load.incoming == NULL) fail("out of memory");
  for (size_t i = 0; i < load.bytes; i++) load.payload[i] = (char)(i * 31 + 7);
  load.message = load.answer = load.payload;
  load.message_bytes = load.answer_bytes = load.bytes;
  if (load.mode->prepare != NULL) load.mode->prepare(&load);
  latency_clear(&load.latency);

  if (!load.mode->opens_by_itself) open_all(&load);
  puts("ready");
  fflush(stdout);
  if (load.mode->holds)
    hold_until_input_ends(&load);
  else
    measure(&load);
  return 0;
}
