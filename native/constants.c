// The constants that this system's headers know, as an object of numbers, and the texts of its error numbers.
// Which names are asked for is in constants.def, which is generated; a name that the headers lack is left out.
#include "berkeley.h"

#include "headers.h"

#include <string.h>

// object[name] = value. Unsigned values stay positive: the value is widened before it becomes a double.
static void put(napi_env env, napi_value object, const char *name, double value) {
  napi_value number;
  if (napi_create_double(env, value, &number) == napi_ok) napi_set_named_property(env, object, name, number);
}

static napi_value constants(napi_env env) {
  napi_value object = NULL;
  if (napi_create_object(env, &object) != napi_ok) return NULL;
#define X(NAME) put(env, object, #NAME, (double)(NAME));
#include "constants.def"
#undef X
  return object;
}

static napi_value text(napi_env env, const char *text) {
  napi_value result = NULL;
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &result);
  return result;
}

// strerror(errno): strerror_r(3), in the C locale's words.
static napi_value native_strerror(napi_env env, napi_callback_info info) {
  struct arguments arguments, *a = &arguments;
  char buffer[256] = "";
  arguments_read(a, env, info);
  int number = INT(0);
  if (WRONG) return result_number(env, WRONG);
#if defined(__GLIBC__)
  return text(env, strerror_r(number, buffer, sizeof buffer));
#else
  strerror_r(number, buffer, sizeof buffer);
  return text(env, buffer);
#endif
}

// gai_strerror(code): gai_strerror(3).
static napi_value native_gai_strerror(napi_env env, napi_callback_info info) {
  struct arguments arguments, *a = &arguments;
  arguments_read(a, env, info);
  int number = INT(0);
  if (WRONG) return result_number(env, WRONG);
  return text(env, gai_strerror(number));
}

void register_constants(napi_env env, napi_value exports) {
  napi_value object = constants(env);
  if (object != NULL) napi_set_named_property(env, exports, "constants", object);
  EXPORT(strerror);
  EXPORT(gai_strerror);
}
