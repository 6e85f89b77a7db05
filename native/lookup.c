// What one lookup asks of the C library, and how its answer becomes JavaScript. It knows no thread and no queue.
#include "names.h"

#include <stdlib.h>
#include <string.h>

#define ADDRESS_BYTES 128 // as in syscalls.c: a view is the address and its length as a u32
#define ENTRY_BYTES_MIN 8192
#define ENTRY_BYTES_MAX (1024 * 1024) // a DNS answer has at most 64 KiB; /etc/hosts may be longer

static void read_address(struct arguments *a, struct lookup *lookup, size_t index) {
  struct bytes bytes = SLICE(index);
  if (WRONG) return;
  if (bytes.length > sizeof lookup->address) {
    a->wrong = -EINVAL;
    return;
  }
  if (bytes.length > 0) memcpy(&lookup->address, bytes.data, bytes.length);
  lookup->length = (socklen_t)bytes.length;
}

struct lookup *lookup_read(struct arguments *a, enum lookup_kind kind, size_t first) {
  struct lookup *lookup = calloc(1, sizeof *lookup);
  if (lookup == NULL) {
    a->wrong = -ENOMEM;
    return NULL;
  }
  lookup->kind = kind;
  switch (kind) {
  case GETADDRINFO:
    lookup->has_host = !arguments_absent(a, first);
    lookup->has_service = !arguments_absent(a, first + 1);
    if (lookup->has_host) arguments_string(a, first, lookup->host, sizeof lookup->host);
    if (lookup->has_service) arguments_string(a, first + 1, lookup->service, sizeof lookup->service);
    lookup->family = INT(first + 2);
    lookup->type = INT(first + 3);
    lookup->proto = INT(first + 4);
    lookup->flags = INT(first + 5);
    break;
  case GETNAMEINFO:
    read_address(a, lookup, first);
    lookup->flags = INT(first + 3);
    break;
  case GETHOSTBYNAME:
    arguments_string(a, first, lookup->host, sizeof lookup->host);
    break;
  case GETHOSTBYADDR:
    read_address(a, lookup, first);
    lookup->family = INT(first + 3);
    break;
  }
  if (WRONG) {
    free(lookup);
    return NULL;
  }
  return lookup;
}

static int64_t gai_result(int code) {
  if (code == 0) return 0;
  return code == EAI_SYSTEM ? (errno > 0 ? -errno : -EIO) : -GAI_BASE - (code < 0 ? -(int64_t)code : code);
}

static int64_t host_result(int error, int host) {
  return host > 0 ? -HOST_BASE - (int64_t)host : error > 0 ? -(int64_t)error : -EIO;
}

#ifdef __linux__
// One attempt with `size` bytes of memory; ERANGE when they are too few.
static int ask(struct lookup *lookup, size_t size, struct hostent **found, int *host) {
  if (lookup->kind == GETHOSTBYNAME)
    return gethostbyname_r(lookup->host, &lookup->entry, lookup->memory, size, found, host);
  return gethostbyaddr_r(&lookup->address, lookup->length, lookup->family, &lookup->entry, lookup->memory, size, found,
                         host);
}

static int64_t run_host(struct lookup *lookup) {
  for (size_t size = ENTRY_BYTES_MIN; size <= ENTRY_BYTES_MAX; size *= 2) {
    struct hostent *found = NULL;
    int host = 0;
    free(lookup->memory);
    lookup->memory = malloc(size);
    if (lookup->memory == NULL) return -ENOMEM;
    int error = ask(lookup, size, &found, &host);
    if (error == ERANGE) continue;
    return error == 0 && found != NULL ? 0 : host_result(error, host);
  }
  return -ERANGE;
}
#else
// Elsewhere the answer lies in memory of the calling thread: it is copied before the thread goes on.
static size_t list_bytes(char **list, size_t each, size_t *count) {
  size_t bytes = sizeof *list;
  for (*count = 0; list != NULL && list[*count] != NULL; ++*count)
    bytes += sizeof *list + (each > 0 ? each : strlen(list[*count]) + 1);
  return bytes;
}

static char *copy_list(char *bytes, char **to, char **from, size_t each, size_t count) {
  for (size_t i = 0; i < count; i++) {
    size_t length = each > 0 ? each : strlen(from[i]) + 1;
    to[i] = memcpy(bytes, from[i], length);
    bytes += length;
  }
  to[count] = NULL;
  return bytes;
}

static int64_t run_host(struct lookup *lookup) {
  struct hostent *found = lookup->kind == GETHOSTBYNAME
                              ? gethostbyname(lookup->host)
                              : gethostbyaddr(&lookup->address, lookup->length, lookup->family);
  if (found == NULL) return host_result(errno, h_errno);
  size_t aliases, addresses, each = (size_t)found->h_length;
  size_t bytes = list_bytes(found->h_aliases, 0, &aliases) + list_bytes(found->h_addr_list, each, &addresses) +
                 strlen(found->h_name) + 1;
  lookup->memory = malloc(bytes);
  if (lookup->memory == NULL) return -ENOMEM;
  lookup->entry = *found;
  lookup->entry.h_aliases = (char **)lookup->memory;
  lookup->entry.h_addr_list = lookup->entry.h_aliases + aliases + 1;
  char *at = (char *)(lookup->entry.h_addr_list + addresses + 1);
  at = copy_list(at, lookup->entry.h_aliases, found->h_aliases, 0, aliases);
  at = copy_list(at, lookup->entry.h_addr_list, found->h_addr_list, each, addresses);
  lookup->entry.h_name = strcpy(at, found->h_name);
  return 0;
}
#endif

void lookup_run(struct lookup *lookup) {
  struct addrinfo hints = {0};
  errno = 0;
  switch (lookup->kind) {
  case GETADDRINFO:
    hints.ai_family = lookup->family;
    hints.ai_socktype = lookup->type;
    hints.ai_protocol = lookup->proto;
    hints.ai_flags = lookup->flags;
    lookup->error = gai_result(getaddrinfo(lookup->has_host ? lookup->host : NULL,
                                          lookup->has_service ? lookup->service : NULL, &hints, &lookup->found));
    break;
  case GETNAMEINFO:
    lookup->error =
        gai_result(getnameinfo((struct sockaddr *)&lookup->address, lookup->length, lookup->host, sizeof lookup->host,
                              lookup->service, sizeof lookup->service, lookup->flags));
    break;
  case GETHOSTBYNAME:
  case GETHOSTBYADDR:
    lookup->error = run_host(lookup);
    break;
  }
}

napi_value result_text(napi_env env, const char *text) {
  napi_value result = NULL;
  napi_create_string_utf8(env, text == NULL ? "" : text, NAPI_AUTO_LENGTH, &result);
  return result;
}

static napi_value list(napi_env env, size_t count, const napi_value *values) {
  napi_value result = NULL;
  if (napi_create_array_with_length(env, count, &result) != napi_ok) return NULL;
  for (size_t i = 0; i < count; i++) napi_set_element(env, result, (uint32_t)i, values[i]);
  return result;
}

// A Uint8Array of `size` bytes that begins with a copy of `length` bytes.
static napi_value bytes(napi_env env, size_t size, const void *from, size_t length, uint8_t **data) {
  napi_value buffer, result = NULL;
  void *into = NULL;
  if (napi_create_arraybuffer(env, size, &into, &buffer) != napi_ok) return NULL;
  memset(into, 0, size);
  if (length > 0) memcpy(into, from, length);
  if (data != NULL) *data = into;
  napi_create_typedarray(env, napi_uint8_array, size, buffer, 0, &result);
  return result;
}

static napi_value view(napi_env env, const struct addrinfo *info) {
  uint8_t *data = NULL;
  uint32_t length = info->ai_addrlen > ADDRESS_BYTES ? ADDRESS_BYTES : (uint32_t)info->ai_addrlen;
  napi_value result = bytes(env, ADDRESS_BYTES + sizeof length, info->ai_addr, length, &data);
  if (data != NULL) memcpy(data + ADDRESS_BYTES, &length, sizeof length);
  return result;
}

// [[family, type, proto, canonname, view], …]
static napi_value addresses(napi_env env, const struct addrinfo *found) {
  napi_value result = NULL;
  uint32_t index = 0;
  if (napi_create_array(env, &result) != napi_ok) return NULL;
  for (const struct addrinfo *info = found; info != NULL; info = info->ai_next) {
    napi_handle_scope scope;
    if (napi_open_handle_scope(env, &scope) != napi_ok) return NULL;
    napi_value fields[] = {result_number(env, info->ai_family), result_number(env, info->ai_socktype),
                           result_number(env, info->ai_protocol), result_text(env, info->ai_canonname),
                           view(env, info)};
    napi_set_element(env, result, index++, list(env, 5, fields));
    napi_close_handle_scope(env, scope);
  }
  return result;
}

static napi_value text_list(napi_env env, char **texts) {
  napi_value result = NULL;
  if (napi_create_array(env, &result) != napi_ok) return NULL;
  for (uint32_t i = 0; texts != NULL && texts[i] != NULL; i++) napi_set_element(env, result, i, result_text(env, texts[i]));
  return result;
}

// [name, [alias, …], family, [packed address, …]]
static napi_value entry(napi_env env, const struct hostent *found) {
  napi_value packed = NULL;
  if (napi_create_array(env, &packed) != napi_ok) return NULL;
  size_t each = found->h_length > 0 ? (size_t)found->h_length : 0;
  for (uint32_t i = 0; found->h_addr_list != NULL && found->h_addr_list[i] != NULL; i++)
    napi_set_element(env, packed, i, bytes(env, each, found->h_addr_list[i], each, NULL));
  napi_value fields[] = {result_text(env, found->h_name), text_list(env, found->h_aliases),
                         result_number(env, found->h_addrtype), packed};
  return list(env, 4, fields);
}

napi_value lookup_result(napi_env env, const struct lookup *lookup) {
  if (lookup->error != 0) return result_number(env, lookup->error);
  if (lookup->kind == GETADDRINFO) return addresses(env, lookup->found);
  if (lookup->kind == GETNAMEINFO) {
    napi_value fields[] = {result_text(env, lookup->host), result_text(env, lookup->service)};
    return list(env, 2, fields);
  }
  return entry(env, &lookup->entry);
}

void lookup_free(struct lookup *lookup) {
  if (lookup->found != NULL) freeaddrinfo(lookup->found);
  free(lookup->memory);
  free(lookup);
}
