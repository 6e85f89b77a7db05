// The generator's connections under TLS, by the system's OpenSSL. Knows nothing of what is said on them.
#ifndef BENCH_TLS_H
#define BENCH_TLS_H

#include <stddef.h>
#include <sys/types.h>

// Loads the library; fails where there is none.
void tls_load(void);
// A handshake with a server that may be anybody, on a connected descriptor; it waits. What it gives is handed to the others.
void *tls_open(int fd);
// As recv(2) and send(2) of a non-blocking descriptor.
ssize_t tls_receive(void *tls, void *memory, size_t bytes);
ssize_t tls_send(void *tls, const void *memory, size_t bytes);

#endif
