// Name lookups on threads of their own, and the same lookups at once on the calling thread. It knows when a lookup
// runs and where its answer goes; what is asked and answered, lookup.c knows.
//
// Why not libuv's pool: it has four threads that all of the process shares with the file system, and a lookup that
// waits for a silent DNS server for 30 seconds would hold one. Why not joined at the end: a lookup cannot be
// interrupted, and terminating a worker must not wait for DNS. So the threads are detached, and what they touch
// (struct lookups) lives until the last of environment and threads lets go of it. The rules:
//
// - A thread takes a lookup out of the queue, runs it, and hands it to the environment; whoever holds it frees it.
// - `ended` is set under the lock by the environment's clean-up, and a thread calls into Node only under the lock and
//   while `ended` is not set. Node's own clean-up of the thread-safe function comes before ours (the last registered
//   is the first to run) and only marks it closing; its memory goes when the loop runs after both. So a thread sees
//   either a function that is open, or one that is closing (napi_closing: it is not called again), or `ended`.
// - The addon must stay mapped while a thread is in it; Node unloads an addon with the last worker that loaded it.
//   So opening the lookups takes one more reference to the library, for good.
#include "names.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

// Lookups of one environment that run at once; the rest wait in order.
#define THREADS_MAX 16
// Only pages that are touched cost memory. NSS modules are written for 8 MiB and known to do with far less.
#define STACK_BYTES (1024 * 1024)

struct lookups {
  pthread_mutex_t lock;
  int holders; // the environment, and each thread
  int threads;
  bool ended;
  struct lookup *first, **last; // the queue
  napi_threadsafe_function deliver;
};

// Gives up one hold; called without the lock.
static void let_go(struct lookups *lookups) {
  pthread_mutex_lock(&lookups->lock);
  bool last = --lookups->holders == 0;
  pthread_mutex_unlock(&lookups->lock);
  if (!last) return;
  pthread_mutex_destroy(&lookups->lock);
  free(lookups);
}

static struct lookup *take(struct lookups *lookups) {
  struct lookup *lookup = lookups->first;
  if (lookup == NULL) return NULL;
  lookups->first = lookup->next;
  if (lookups->first == NULL) lookups->last = &lookups->first;
  return lookup;
}

static void *work(void *data) {
  struct lookups *lookups = data;
  pthread_mutex_lock(&lookups->lock);
  for (struct lookup *lookup; !lookups->ended && (lookup = take(lookups)) != NULL;) {
    pthread_mutex_unlock(&lookups->lock);
    lookup_run(lookup);
    pthread_mutex_lock(&lookups->lock);
    napi_status status = napi_closing;
    if (!lookups->ended) status = napi_call_threadsafe_function(lookups->deliver, lookup, napi_tsfn_nonblocking);
    if (status != napi_ok) lookup_free(lookup);
    // Closing: our hold on the function went with this answer.
    if (status == napi_closing) lookups->ended = true;
  }
  lookups->threads--;
  pthread_mutex_unlock(&lookups->lock);
  let_go(lookups);
  return NULL;
}

// Starts a thread that takes no signals: they are for the threads that Node has. Called with the lock held.
static int start(struct lookups *lookups) {
  pthread_attr_t attributes;
  pthread_t thread;
  sigset_t all, before;
  int error = pthread_attr_init(&attributes);
  if (error != 0) return error;
  pthread_attr_setstacksize(&attributes, STACK_BYTES);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  error = pthread_create(&thread, &attributes, work, lookups);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  if (error != 0) return error;
  lookups->threads++;
  lookups->holders++;
  return 0;
}

// An answer arrives in the environment: callback(id, answer). Without an environment it is only freed.
static void on_answer(napi_env env, napi_value callback, void *context, void *data) {
  struct lookup *lookup = data;
  (void)context;
  if (env != NULL && callback != NULL) {
    napi_value receiver, result, arguments[2] = {NULL, lookup_result(env, lookup)};
    if (napi_create_int64(env, lookup->id, &arguments[0]) == napi_ok && arguments[1] != NULL &&
        napi_get_undefined(env, &receiver) == napi_ok)
      napi_call_function(env, receiver, callback, 2, arguments, &result);
  }
  lookup_free(lookup);
}

// One more reference to this library: it is never unmapped.
static bool pin(void) {
  Dl_info info;
  return dladdr((void *)(uintptr_t)&pin, &info) != 0 && dlopen(info.dli_fname, RTLD_NOW | RTLD_LOCAL) != NULL;
}

// lookup_open(callback): answers of lookups come as callback(id, answer). Once per environment.
NATIVE(lookup_open) {
  napi_valuetype type;
  napi_value name;
  if (WRONG) return WRONG;
  if (napi_typeof(a->env, a->value[0], &type) != napi_ok || type != napi_function) return -EINVAL;
  if (a->state->lookups != NULL) return -EALREADY;
  struct lookups *lookups = calloc(1, sizeof *lookups);
  if (lookups == NULL) return -ENOMEM;
  lookups->holders = 1;
  lookups->last = &lookups->first;
  if (!pin() || pthread_mutex_init(&lookups->lock, NULL) != 0) {
    free(lookups);
    return -ENOMEM;
  }
  if (napi_create_string_utf8(a->env, "berkeley:lookup", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_threadsafe_function(a->env, a->value[0], NULL, name, 0, 1, NULL, NULL, NULL, on_answer,
                                      &lookups->deliver) != napi_ok) {
    let_go(lookups);
    return -ENOMEM;
  }
  napi_unref_threadsafe_function(a->env, lookups->deliver);
  a->state->lookups = lookups;
  return 0;
}

// lookup_ref(): the process lives while this holds.
NATIVE(lookup_ref) {
  if (WRONG) return WRONG;
  if (a->state->lookups == NULL) return -EINVAL;
  return napi_ref_threadsafe_function(a->env, a->state->lookups->deliver) == napi_ok ? 0 : -EINVAL;
}

// lookup_unref(): the process may end.
NATIVE(lookup_unref) {
  if (WRONG) return WRONG;
  if (a->state->lookups == NULL) return -EINVAL;
  return napi_unref_threadsafe_function(a->env, a->state->lookups->deliver) == napi_ok ? 0 : -EINVAL;
}

// lookup_cancel(id): takes it out of the queue; 1 when it was there, 0 when it runs or ran: its answer still comes.
NATIVE(lookup_cancel) {
  int64_t id = LONG(0);
  if (WRONG) return WRONG;
  struct lookups *lookups = a->state->lookups;
  if (lookups == NULL) return 0;
  struct lookup *found = NULL;
  pthread_mutex_lock(&lookups->lock);
  for (struct lookup **at = &lookups->first; *at != NULL; at = &(*at)->next) {
    if ((*at)->id != id) continue;
    found = *at;
    *at = found->next;
    if (lookups->last == &found->next) lookups->last = at;
    break;
  }
  pthread_mutex_unlock(&lookups->lock);
  if (found != NULL) lookup_free(found);
  return found != NULL;
}

// Queues a lookup, on a thread more if there may be one more. 0, or -errno when there is no thread at all for it.
static int64_t enqueue(struct arguments *a, enum lookup_kind kind) {
  int64_t id = LONG(0);
  struct lookup *lookup = lookup_read(a, kind, 1);
  if (lookup == NULL) return WRONG;
  struct lookups *lookups = a->state->lookups;
  int error = lookups == NULL ? EINVAL : 0;
  if (error == 0) {
    lookup->id = id;
    pthread_mutex_lock(&lookups->lock);
    if (lookups->threads < THREADS_MAX) error = start(lookups);
    if (lookups->threads > 0) error = 0;
    if (error == 0) {
      *lookups->last = lookup;
      lookups->last = &lookup->next;
    }
    pthread_mutex_unlock(&lookups->lock);
  }
  if (error != 0) lookup_free(lookup);
  return -error;
}

// Runs a lookup at once on this thread.
static napi_value now(struct arguments *a, enum lookup_kind kind) {
  struct lookup *lookup = lookup_read(a, kind, 0);
  if (lookup == NULL) return NUMBER(WRONG);
  lookup_run(lookup);
  napi_value result = lookup_result(a->env, lookup);
  lookup_free(lookup);
  return result;
}

// getaddrinfo(id, host | null, service | null, family, type, proto, flags): getaddrinfo(3) on a thread.
// Its answer: [[family, type, proto, canonname, view], …], or a number as in names.h.
NATIVE(getaddrinfo) { return enqueue(a, GETADDRINFO); }
NATIVE_VALUE(getaddrinfo_now) { return now(a, GETADDRINFO); }

// getnameinfo(id, address, offset, length, flags): getnameinfo(3) on a thread. Its answer: [host, service].
NATIVE(getnameinfo) { return enqueue(a, GETNAMEINFO); }
NATIVE_VALUE(getnameinfo_now) { return now(a, GETNAMEINFO); }

// gethostbyname(id, name): gethostbyname_r(3) on a thread. Its answer: [name, aliases, family, packed].
NATIVE(gethostbyname) { return enqueue(a, GETHOSTBYNAME); }
NATIVE_VALUE(gethostbyname_now) { return now(a, GETHOSTBYNAME); }

// gethostbyaddr(id, packed, offset, length, family): gethostbyaddr_r(3) on a thread. Its answer: as gethostbyname.
NATIVE(gethostbyaddr) { return enqueue(a, GETHOSTBYADDR); }
NATIVE_VALUE(gethostbyaddr_now) { return now(a, GETHOSTBYADDR); }

void register_names(napi_env env, napi_value exports) {
  EXPORT(lookup_open);
  EXPORT(lookup_ref);
  EXPORT(lookup_unref);
  EXPORT(lookup_cancel);
  EXPORT(getaddrinfo);
  EXPORT(getaddrinfo_now);
  EXPORT(getnameinfo);
  EXPORT(getnameinfo_now);
  EXPORT(gethostbyname);
  EXPORT(gethostbyname_now);
  EXPORT(gethostbyaddr);
  EXPORT(gethostbyaddr_now);
  register_tables(env, exports);
}

void names_end(struct environment *state) {
  struct lookups *lookups = state->lookups;
  if (lookups == NULL) return;
  state->lookups = NULL;
  pthread_mutex_lock(&lookups->lock);
  bool held = !lookups->ended;
  lookups->ended = true;
  struct lookup *queued = lookups->first;
  lookups->first = NULL;
  lookups->last = &lookups->first;
  if (held) napi_release_threadsafe_function(lookups->deliver, napi_tsfn_abort);
  pthread_mutex_unlock(&lookups->lock);
  while (queued != NULL) {
    struct lookup *next = queued->next;
    lookup_free(queued);
    queued = next;
  }
  let_go(lookups);
}
