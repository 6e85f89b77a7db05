// TLS for the generator. OpenSSL is loaded when it is asked for, by the names of its stable interface, so that the bench can
// be compiled without its headers.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>

#include "support.h"
#include "tls.h"

enum {
  ERROR_WANT_READ = 2,
  ERROR_WANT_WRITE = 3,
  ERROR_SYSCALL = 5,
  ERROR_ZERO_RETURN = 6,
  CTRL_MODE = 33,
  MODE_PARTIAL_WRITE_AND_MOVING = 1 | 2,
};

static struct {
  const void *(*TLS_client_method)(void);
  void *(*SSL_CTX_new)(const void *method);
  long (*SSL_CTX_ctrl)(void *context, int command, long number, void *pointer);
  void *(*SSL_new)(void *context);
  int (*SSL_set_fd)(void *ssl, int fd);
  int (*SSL_connect)(void *ssl);
  int (*SSL_read)(void *ssl, void *memory, int bytes);
  int (*SSL_write)(void *ssl, const void *memory, int bytes);
  int (*SSL_get_error)(const void *ssl, int result);
} openssl;

static void *context;

static void *symbol(void *library, const char *name) {
  void *found = dlsym(library, name);
  if (found == NULL) fail("libssl has no %s", name);
  return found;
}

void tls_load(void) {
  void *library = dlopen("libssl.so.3", RTLD_NOW);
  if (library == NULL) fail("TLS needs libssl.so.3: %s", dlerror());
#define LOAD(name) openssl.name = (__typeof__(openssl.name))symbol(library, #name)
  LOAD(TLS_client_method);
  LOAD(SSL_CTX_new);
  LOAD(SSL_CTX_ctrl);
  LOAD(SSL_new);
  LOAD(SSL_set_fd);
  LOAD(SSL_connect);
  LOAD(SSL_read);
  LOAD(SSL_write);
  LOAD(SSL_get_error);
#undef LOAD
  // It asks for no certificate to be good: that is its default.
  context = openssl.SSL_CTX_new(openssl.TLS_client_method());
  if (context == NULL) fail("libssl gives no context");
  openssl.SSL_CTX_ctrl(context, CTRL_MODE, MODE_PARTIAL_WRITE_AND_MOVING, NULL);
}

void *tls_open(int fd) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) != 0) fail_errno("fcntl");
  void *ssl = openssl.SSL_new(context);
  if (ssl == NULL || openssl.SSL_set_fd(ssl, fd) != 1) fail("libssl gives no connection");
  int result = openssl.SSL_connect(ssl);
  if (result != 1) fail("the TLS handshake failed: %d", openssl.SSL_get_error(ssl, result));
  if (fcntl(fd, F_SETFL, flags) != 0) fail_errno("fcntl");
  return ssl;
}

// What a call of libssl means to one of the system: bytes, 0 at the end, -1 with errno.
static ssize_t outcome(void *ssl, int result) {
  if (result > 0) return result;
  switch (openssl.SSL_get_error(ssl, result)) {
    case ERROR_WANT_READ:
    case ERROR_WANT_WRITE: errno = EAGAIN; return -1;
    case ERROR_ZERO_RETURN: return 0;
    case ERROR_SYSCALL: return -1;
    default: fail("libssl: a call failed");
  }
}

ssize_t tls_receive(void *tls, void *memory, size_t bytes) {
  return outcome(tls, openssl.SSL_read(tls, memory, (int)bytes));
}

ssize_t tls_send(void *tls, const void *memory, size_t bytes) {
  return outcome(tls, openssl.SSL_write(tls, memory, (int)bytes));
}
