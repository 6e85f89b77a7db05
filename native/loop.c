// The one file that knows libuv. It watches a single descriptor (the poller of readiness.c) and calls JavaScript
// once each time it is readable: one wake-up per batch. Whether that watch keeps the process alive is told by
// loop_ref and loop_unref. It knows nothing of what is ready or why.
#include "berkeley.h"

#include <stdlib.h>
#include <uv.h>

struct loop_hook {
  uv_poll_t poll;
  napi_env env;
  napi_ref callback;
  napi_async_context context;
  napi_async_cleanup_hook_handle cleanup;
  struct environment *state;
  bool ending;
};

static void on_readable(uv_poll_t *poll, int status, int events) {
  struct loop_hook *hook = poll->data;
  napi_handle_scope scope;
  napi_value callback, global, result, thrown;
  (void)status;
  (void)events;
  if (hook->ending || napi_open_handle_scope(hook->env, &scope) != napi_ok) return;
  if (napi_get_reference_value(hook->env, hook->callback, &callback) == napi_ok &&
      napi_get_global(hook->env, &global) == napi_ok) {
    // What the callback's microtasks and ticks throw stays with Node-API, which would throw it out of the next call from
    // JavaScript, whosever that is. It is an uncaught exception, now.
    if (napi_make_callback(hook->env, hook->context, global, callback, 0, NULL, &result) == napi_pending_exception &&
        napi_get_and_clear_last_exception(hook->env, &thrown) == napi_ok)
      napi_fatal_exception(hook->env, thrown);
  }
  napi_close_handle_scope(hook->env, scope);
}

static void on_closed(uv_handle_t *handle) {
  struct loop_hook *hook = handle->data;
  napi_async_cleanup_hook_handle cleanup = hook->cleanup;
  free(hook);
  napi_remove_async_cleanup_hook(cleanup);
}

static void on_abandoned(uv_handle_t *handle) { free(handle->data); }

// The environment ends: the handle must be off the loop before the loop goes.
static void on_end(napi_async_cleanup_hook_handle handle, void *data) {
  struct loop_hook *hook = data;
  (void)handle;
  hook->ending = true;
  uv_poll_stop(&hook->poll);
  uv_close((uv_handle_t *)&hook->poll, on_closed);
}

static int64_t start(napi_env env, struct environment *state, int fd, napi_value callback) {
  uv_loop_t *loop;
  napi_value name;
  struct loop_hook *hook = calloc(1, sizeof *hook);
  if (hook == NULL) return -ENOMEM;
  hook->env = env;
  hook->state = state;
  hook->poll.data = hook;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok || uv_poll_init(loop, &hook->poll, fd) != 0) {
    free(hook);
    return -EINVAL;
  }
  if (napi_create_reference(env, callback, 1, &hook->callback) != napi_ok ||
      napi_create_string_utf8(env, "berkeley", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_async_init(env, NULL, name, &hook->context) != napi_ok ||
      napi_add_async_cleanup_hook(env, on_end, hook, &hook->cleanup) != napi_ok) {
    // Not reachable with a sound environment; the handle must still leave the loop before its memory goes.
    uv_close((uv_handle_t *)&hook->poll, on_abandoned);
    return -ENOMEM;
  }
  uv_unref((uv_handle_t *)&hook->poll);
  int result = uv_poll_start(&hook->poll, UV_READABLE, on_readable);
  state->hook = hook;
  return result < 0 ? result : 0;
}

// loop_start(fd, callback): call back once per turn of the loop in which fd is readable. Once per environment.
NATIVE(loop_start) {
  napi_valuetype type;
  int fd = INT(0);
  if (WRONG) return WRONG;
  if (napi_typeof(a->env, a->value[1], &type) != napi_ok || type != napi_function) return -EINVAL;
  if (a->state->hook != NULL) return -EALREADY;
  return start(a->env, a->state, fd, a->value[1]);
}

// loop_ref(): the process lives while this holds.
NATIVE(loop_ref) {
  if (a->state == NULL || a->state->hook == NULL) return -EINVAL;
  uv_ref((uv_handle_t *)&a->state->hook->poll);
  return 0;
}

// loop_unref(): the process may end.
NATIVE(loop_unref) {
  if (a->state == NULL || a->state->hook == NULL) return -EINVAL;
  uv_unref((uv_handle_t *)&a->state->hook->poll);
  return 0;
}

void register_loop(napi_env env, napi_value exports) {
  EXPORT(loop_start);
  EXPORT(loop_ref);
  EXPORT(loop_unref);
}
