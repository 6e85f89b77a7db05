// What every file of the addon shares: the per-environment state, the reading of arguments, the results.
// It knows Node-API and nothing of sockets. All state hangs on the environment, so that worker threads have
// their own; nothing here is global.
//
// Results follow the kernel: a number >= 0, or -errno. No function throws, prints or decides. An argument
// that is not what it should be gives -EINVAL; memory outside of what the caller owns gives -EFAULT.
#ifndef BERKELEY_H
#define BERKELEY_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define NAPI_VERSION 8

#include <errno.h>
#include <limits.h>
#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARGUMENTS_MAX 8

struct loop_hook; // loop.c
struct lookups;   // names.c

struct environment {
  uint8_t *owned;      // ownership.c: one byte per descriptor number, 1 = opened here and not given away
  size_t owned_size;
  struct loop_hook *hook;
  struct lookups *lookups;
};

// The arguments of one call. The first one that is wrong leaves its -errno in `wrong`; conversions after it
// return zeros, so that a function converts all of them and then asks once.
struct arguments {
  napi_env env;
  struct environment *state;
  size_t count;
  napi_value value[ARGUMENTS_MAX];
  int wrong;
};

struct bytes {
  uint8_t *data;
  size_t length;
};

void arguments_read(struct arguments *a, napi_env env, napi_callback_info info);
struct bytes arguments_bytes(struct arguments *a, size_t index); // all of a Buffer, TypedArray or DataView
struct bytes arguments_slice(struct arguments *a, size_t index); // the view at index, offset at +1, length at +2
struct bytes arguments_start(struct arguments *a, size_t index); // the view at index, from 0, length at +1
bool arguments_absent(struct arguments *a, size_t index);       // undefined or null
// A string of at most size - 1 bytes, NUL-terminated, without a NUL inside; returns its length.
size_t arguments_string(struct arguments *a, size_t index, char *out, size_t size);

napi_value result_number(napi_env env, int64_t value);

// A whole number within ±2^53. Here, and not in module.c, because every call begins with a few of these.
static inline int64_t arguments_long(struct arguments *a, size_t index) {
  double number;
  if (a->wrong != 0) return 0;
  if (napi_get_value_double(a->env, a->value[index], &number) != napi_ok ||
      !(number >= -9007199254740991.0 && number <= 9007199254740991.0) || (double)(int64_t)number != number) {
    a->wrong = -EINVAL;
    return 0;
  }
  return (int64_t)number;
}

// A whole number that fits an int.
static inline int arguments_int(struct arguments *a, size_t index) {
  int64_t number = arguments_long(a, index);
  if (number < INT_MIN || number > INT_MAX) {
    a->wrong = -EINVAL;
    return 0;
  }
  return (int)number;
}

// Declares the native function NAME whose body returns an int64_t: a value, or -errno.
//   NATIVE(shutdown) { int fd = INT(0), how = INT(1); if (WRONG) return WRONG; return ... }
#define NATIVE(NAME)                                                       \
  static int64_t body_##NAME(struct arguments *a);                         \
  static napi_value native_##NAME(napi_env env, napi_callback_info info) { \
    struct arguments arguments;                                            \
    arguments_read(&arguments, env, info);                                 \
    return result_number(env, body_##NAME(&arguments));                    \
  }                                                                        \
  static int64_t body_##NAME(struct arguments *a)
#define INT(INDEX) arguments_int(a, INDEX)
#define LONG(INDEX) arguments_long(a, INDEX)
#define BYTES(INDEX) arguments_bytes(a, INDEX)
#define SLICE(INDEX) arguments_slice(a, INDEX)
#define START(INDEX) arguments_start(a, INDEX)
#define WRONG (a->wrong)

// Runs a call again while a signal interrupts it: EINTR never comes out.
#define RETRY(TYPE, RESULT, CALL) \
  TYPE RESULT;                    \
  do                              \
    RESULT = (CALL);              \
  while (RESULT < 0 && errno == EINTR)

void export_function(napi_env env, napi_value exports, const char *name, napi_callback function);
#define EXPORT(NAME) export_function(env, exports, #NAME, native_##NAME)

// ownership.c: which descriptors this environment must close when it ends.
int64_t own(struct environment *state, int descriptor); // the descriptor, or closes it and returns -ENOMEM
bool own_room(struct environment *state, int highest);  // after true, own() of a descriptor up to it cannot fail
void disown(struct environment *state, int descriptor);
void close_owned(struct environment *state);

// Each file registers its functions.
void register_ownership(napi_env env, napi_value exports);
void register_syscalls(napi_env env, napi_value exports);
void register_messages(napi_env env, napi_value exports);
void register_batches(napi_env env, napi_value exports);
void register_options(napi_env env, napi_value exports);
void register_moving(napi_env env, napi_value exports);
void register_queues(napi_env env, napi_value exports);
void register_readiness(napi_env env, napi_value exports);
void register_polling(napi_env env, napi_value exports);
void register_loop(napi_env env, napi_value exports);
void register_constants(napi_env env, napi_value exports);
void register_names(napi_env env, napi_value exports);

// Ends what a file keeps in the environment.
void names_end(struct environment *state);

#endif
