// One name lookup, from its arguments to its result. lookup.c knows what the C library is asked and how the answer
// becomes JavaScript; names.c knows when and on which thread. A lookup's memory is its own: no pointer into
// JavaScript, no environment, so a thread may run and free it when the environment is long gone.
#ifndef BERKELEY_NAMES_H
#define BERKELEY_NAMES_H

#include "berkeley.h"

#include <netdb.h>
#include <sys/socket.h>

// Errors are one number. A thread's errno stays -errno; the library's own codes lie below it, each with a range.
//   -4095..-1        -errno: the lookup itself failed (EAI_SYSTEM, NETDB_INTERNAL, no memory)
//   -10000 - n       EAI_* code n of getaddrinfo(3) and getnameinfo(3), its sign dropped
//   -20000 - n       h_errno n of the gethostby functions
#define GAI_BASE 10000
#define HOST_BASE 20000

#define HOST_BYTES_MAX 1025   // NI_MAXHOST
#define SERVICE_BYTES_MAX 256 // longer than any name in services(5)

enum lookup_kind { GETADDRINFO, GETNAMEINFO, GETHOSTBYNAME, GETHOSTBYADDR };

struct lookup {
  struct lookup *next; // names.c: the queue
  int64_t id;
  enum lookup_kind kind;
  // What is asked.
  bool has_host, has_service;
  char host[HOST_BYTES_MAX];
  char service[SERVICE_BYTES_MAX];
  int family, type, proto, flags;
  struct sockaddr_storage address;
  socklen_t length;
  // What was answered. `error` is 0 or one of the numbers above.
  int64_t error;
  struct addrinfo *found;
  struct hostent entry;
  char *memory; // what `entry` points into
};

// Reads a lookup's arguments from `first` on; NULL with a->wrong set when they are not what they should be.
struct lookup *lookup_read(struct arguments *a, enum lookup_kind kind, size_t first);
void lookup_run(struct lookup *lookup);                                // one call of the C library; may take long
napi_value lookup_result(napi_env env, const struct lookup *lookup);   // its answer, or its error as a number
void lookup_free(struct lookup *lookup);

void register_tables(napi_env env, napi_value exports); // tables.c

// Declares a native function whose body returns a JavaScript value.
#define NATIVE_VALUE(NAME)                                                 \
  static napi_value body_##NAME(struct arguments *a);                      \
  static napi_value native_##NAME(napi_env env, napi_callback_info info) { \
    struct arguments arguments;                                            \
    arguments_read(&arguments, env, info);                                 \
    return body_##NAME(&arguments);                                        \
  }                                                                        \
  static napi_value body_##NAME(struct arguments *a)
#define NUMBER(VALUE) result_number(a->env, VALUE)

napi_value result_text(napi_env env, const char *text);

#endif
