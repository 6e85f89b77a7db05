// Stands before the C library's getaddrinfo (LD_PRELOAD): a host that begins with "wait" is looked up for as long as
// the test wants. It tells descriptor 4 "e" when it enters and "l" when it leaves, and waits for a byte from 5.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

typedef int lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
  char byte;
  if (host == NULL || strncmp(host, "wait", 4) != 0)
    return ((lookup *)dlsym(RTLD_NEXT, "getaddrinfo"))(host, service, hints, found);
  if (write(4, "e", 1) != 1 || read(5, &byte, 1) != 1) return EAI_FAIL;
  return write(4, "l", 1) == 1 ? EAI_NONAME : EAI_FAIL;
}
