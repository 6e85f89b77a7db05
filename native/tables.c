// What this machine knows without asking another: its name, its tables of services and protocols, its interfaces, and
// numbers of text and of control messages as the C library's macros have them. One call per function; none waits.
#include "names.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define NAME_BYTES_MAX 256      // services(5), protocols(5); gethostname(2) has 64 on Linux, 255 in POSIX
#define TABLE_BYTES (16 * 1024) // one entry with its aliases

#ifndef __GLIBC__
// Where the C library has no reentrant calls its table is one for all threads, and we take turns.
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
#endif

// An optional second name: NULL when it is not given.
static const char *optional_text(struct arguments *a, size_t index, char *out, size_t size) {
  if (arguments_absent(a, index)) return NULL;
  arguments_string(a, index, out, size);
  return out;
}

// gethostname(): gethostname(2). A text, or -errno.
NATIVE_VALUE(gethostname) {
  char name[NAME_BYTES_MAX] = "";
  if (WRONG) return NUMBER(WRONG);
  if (gethostname(name, sizeof name - 1) != 0) return NUMBER(-errno);
  return result_text(a->env, name);
}

// sethostname(name): sethostname(2).
NATIVE(sethostname) {
  char name[NAME_BYTES_MAX];
  size_t length = arguments_string(a, 0, name, sizeof name);
  if (WRONG) return WRONG;
#ifdef __APPLE__
  return sethostname(name, (int)length) == 0 ? 0 : -errno;
#else
  return sethostname(name, length) == 0 ? 0 : -errno;
#endif
}

// getservbyname(name, proto | null): getservbyname_r(3). The port, or -ENOENT.
NATIVE(getservbyname) {
  char name[NAME_BYTES_MAX], proto_text[NAME_BYTES_MAX];
  arguments_string(a, 0, name, sizeof name);
  const char *proto = optional_text(a, 1, proto_text, sizeof proto_text);
  if (WRONG) return WRONG;
#ifdef __GLIBC__
  struct servent entry, *found = NULL;
  char memory[TABLE_BYTES];
  int error = getservbyname_r(name, proto, &entry, memory, sizeof memory, &found);
  return error != 0 ? -error : found == NULL ? -ENOENT : ntohs((uint16_t)found->s_port);
#else
  pthread_mutex_lock(&turn);
  struct servent *found = getservbyname(name, proto);
  int64_t result = found == NULL ? -ENOENT : ntohs((uint16_t)found->s_port);
  pthread_mutex_unlock(&turn);
  return result;
#endif
}

// getservbyport(port, proto | null): getservbyport_r(3). The name, or -ENOENT.
NATIVE_VALUE(getservbyport) {
  char proto_text[NAME_BYTES_MAX];
  int port = INT(0);
  const char *proto = optional_text(a, 1, proto_text, sizeof proto_text);
  if (WRONG) return NUMBER(WRONG);
#ifdef __GLIBC__
  struct servent entry, *found = NULL;
  char memory[TABLE_BYTES];
  int error = getservbyport_r(htons((uint16_t)port), proto, &entry, memory, sizeof memory, &found);
  if (error != 0) return NUMBER(-error);
  return found == NULL ? NUMBER(-ENOENT) : result_text(a->env, found->s_name);
#else
  pthread_mutex_lock(&turn);
  struct servent *found = getservbyport(htons((uint16_t)port), proto);
  napi_value result = found == NULL ? NUMBER(-ENOENT) : result_text(a->env, found->s_name);
  pthread_mutex_unlock(&turn);
  return result;
#endif
}

// getprotobyname(name): getprotobyname_r(3). The number, or -ENOENT.
NATIVE(getprotobyname) {
  char name[NAME_BYTES_MAX];
  arguments_string(a, 0, name, sizeof name);
  if (WRONG) return WRONG;
#ifdef __GLIBC__
  struct protoent entry, *found = NULL;
  char memory[TABLE_BYTES];
  int error = getprotobyname_r(name, &entry, memory, sizeof memory, &found);
  return error != 0 ? -error : found == NULL ? -ENOENT : found->p_proto;
#else
  pthread_mutex_lock(&turn);
  struct protoent *found = getprotobyname(name);
  int64_t result = found == NULL ? -ENOENT : found->p_proto;
  pthread_mutex_unlock(&turn);
  return result;
#endif
}

// if_nametoindex(name): if_nametoindex(3).
NATIVE(if_nametoindex) {
  char name[NAME_BYTES_MAX];
  arguments_string(a, 0, name, sizeof name);
  if (WRONG) return WRONG;
  unsigned int index = if_nametoindex(name);
  return index == 0 ? -errno : (int64_t)index;
}

// if_indextoname(index): if_indextoname(3). A text, or -errno.
NATIVE_VALUE(if_indextoname) {
  char name[IF_NAMESIZE + 1] = "";
  int64_t index = LONG(0);
  if (WRONG) return NUMBER(WRONG);
  if (index < 0 || index > UINT_MAX) return NUMBER(-ENXIO);
  if (if_indextoname((unsigned int)index, name) == NULL) return NUMBER(-errno);
  return result_text(a->env, name);
}

// if_nameindex(): if_nameindex(3). [index, name, index, name, …], or -errno.
NATIVE_VALUE(if_nameindex) {
  napi_value result = NULL;
  uint32_t count = 0;
  if (WRONG) return NUMBER(WRONG);
  struct if_nameindex *list = if_nameindex();
  if (list == NULL) return NUMBER(-errno);
  if (napi_create_array(a->env, &result) == napi_ok)
    for (struct if_nameindex *at = list; at->if_index != 0; at++) {
      napi_set_element(a->env, result, count++, NUMBER(at->if_index));
      napi_set_element(a->env, result, count++, result_text(a->env, at->if_name));
    }
  if_freenameindex(list);
  return result;
}

// inet_aton(text): inet_aton(3). The address in host order, or -EINVAL.
NATIVE(inet_aton) {
  char text[NAME_BYTES_MAX];
  struct in_addr address;
  arguments_string(a, 0, text, sizeof text);
  if (WRONG) return WRONG;
  return inet_aton(text, &address) != 0 ? (int64_t)ntohl(address.s_addr) : -EINVAL;
}

// cmsg_len(bytes): CMSG_LEN(3). The caller keeps the sum within a size_t.
NATIVE(cmsg_len) {
  int64_t bytes = LONG(0);
  if (WRONG) return WRONG;
  return bytes < 0 ? -EINVAL : (int64_t)CMSG_LEN((size_t)bytes);
}

// cmsg_space(bytes): CMSG_SPACE(3).
NATIVE(cmsg_space) {
  int64_t bytes = LONG(0);
  if (WRONG) return WRONG;
  return bytes < 0 ? -EINVAL : (int64_t)CMSG_SPACE((size_t)bytes);
}

void register_tables(napi_env env, napi_value exports) {
  EXPORT(gethostname);
  EXPORT(sethostname);
  EXPORT(getservbyname);
  EXPORT(getservbyport);
  EXPORT(getprotobyname);
  EXPORT(if_nametoindex);
  EXPORT(if_indextoname);
  EXPORT(if_nameindex);
  EXPORT(inet_aton);
  EXPORT(cmsg_len);
  EXPORT(cmsg_space);
}
