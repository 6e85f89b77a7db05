// Registration and the checks of arguments. Knows Node-API; knows no system call. Nothing that JavaScript
// passes (wrong types, fractions, detached or shrunken buffers, lengths beyond the end) gets past it.
#include "berkeley.h"

#include <stdlib.h>
#include <string.h>

void arguments_read(struct arguments *a, napi_env env, napi_callback_info info) {
  void *data = NULL;
  a->env = env;
  a->count = ARGUMENTS_MAX;
  a->wrong = 0;
  if (napi_get_cb_info(env, info, &a->count, a->value, NULL, &data) != napi_ok) a->wrong = -EINVAL;
  a->state = data;
  // Arguments that were not given read as undefined: Node-API fills the array up to ARGUMENTS_MAX.
}

static void refuse(struct arguments *a, int error) {
  if (a->wrong == 0) a->wrong = -error;
}

struct bytes arguments_bytes(struct arguments *a, size_t index) {
  struct bytes bytes = {NULL, 0};
  void *data = NULL;
  if (a->wrong != 0) return bytes;
  // Accepts every ArrayBufferView; a detached one, or one that its shrunken buffer no longer holds, has length 0.
  if (napi_get_buffer_info(a->env, a->value[index], &data, &bytes.length) != napi_ok) {
    refuse(a, EINVAL);
    bytes.length = 0;
    return bytes;
  }
  bytes.data = data;
  return bytes;
}

struct bytes arguments_slice(struct arguments *a, size_t index) {
  struct bytes none = {NULL, 0}, all = arguments_bytes(a, index);
  int64_t offset = arguments_long(a, index + 1), length = arguments_long(a, index + 2);
  if (a->wrong != 0) return none;
  if (offset < 0 || length < 0 || (uint64_t)offset > all.length || (uint64_t)length > all.length - (uint64_t)offset) {
    refuse(a, EFAULT);
    return none;
  }
  if (all.data != NULL) all.data += offset;
  all.length = (size_t)length;
  return all;
}

struct bytes arguments_start(struct arguments *a, size_t index) {
  struct bytes none = {NULL, 0}, all = arguments_bytes(a, index);
  int64_t length = arguments_long(a, index + 1);
  if (a->wrong != 0) return none;
  if (length < 0 || (uint64_t)length > all.length) {
    refuse(a, EFAULT);
    return none;
  }
  all.length = (size_t)length;
  return all;
}

bool arguments_absent(struct arguments *a, size_t index) {
  napi_valuetype type;
  if (index >= a->count || napi_typeof(a->env, a->value[index], &type) != napi_ok) return true;
  return type == napi_undefined || type == napi_null;
}

size_t arguments_string(struct arguments *a, size_t index, char *out, size_t size) {
  size_t length = 0, written = 0;
  out[0] = 0;
  if (a->wrong != 0) return 0;
  if (napi_get_value_string_utf8(a->env, a->value[index], NULL, 0, &length) != napi_ok || length >= size ||
      napi_get_value_string_utf8(a->env, a->value[index], out, size, &written) != napi_ok ||
      memchr(out, 0, written) != NULL) {
    refuse(a, EINVAL);
    out[0] = 0;
    return 0;
  }
  return written;
}

napi_value result_number(napi_env env, int64_t value) {
  napi_value result = NULL;
  if (value >= INT_MIN && value <= INT_MAX)
    napi_create_int32(env, (int32_t)value, &result);
  else
    napi_create_int64(env, value, &result);
  return result;
}

void export_function(napi_env env, napi_value exports, const char *name, napi_callback function) {
  napi_value value;
  void *state = NULL; // travels with the function: cheaper than asking the environment in each call
  napi_get_instance_data(env, &state);
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, function, state, &value) == napi_ok)
    napi_set_named_property(env, exports, name, value);
}

static void end_environment(void *data) {
  struct environment *state = data;
  names_end(state);
  close_owned(state);
  free(state->owned);
  free(state);
}

NAPI_MODULE_INIT() {
  struct environment *state = calloc(1, sizeof *state);
  if (state == NULL) return NULL;
  if (napi_set_instance_data(env, state, NULL, NULL) != napi_ok ||
      napi_add_env_cleanup_hook(env, end_environment, state) != napi_ok) {
    free(state);
    return NULL;
  }
  register_ownership(env, exports);
  register_syscalls(env, exports);
  register_messages(env, exports);
  register_batches(env, exports);
  register_options(env, exports);
  register_moving(env, exports);
  register_queues(env, exports);
  register_readiness(env, exports);
  register_polling(env, exports);
  register_loop(env, exports);
  register_constants(env, exports);
  register_names(env, exports);
  return exports;
}
