// Messages that must be refused, by family, each with the code. Data only; who runs them, the tests beside know.
// oxlint-disable unicorn/no-useless-spread -- long lists keep their lines

import type { HttpLimits, HttpRefusal } from "berkeley/http";

/** One message that no two readers may understand differently, because none may accept it. */
export interface Malformed {
  readonly family: string;
  readonly name: string;
  /** Each character is one byte. */
  readonly text: string;
  readonly code: HttpRefusal;
  /** The method of the request that the text answers; absent: it is a request itself. */
  readonly answers?: string;
  /** The peer ends behind it. */
  readonly ends?: boolean;
  readonly limits?: Partial<HttpLimits>;
}

const cases: Malformed[] = [];
const HOST = "Host: a\r\n";

/** Shows a byte in a name. */
const shown = (byte: number): string => `0x${byte.toString(16).padStart(2, "0")}`;
const character = (byte: number): string => String.fromCharCode(byte);
const isTokenByte = (byte: number): boolean => /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(character(byte));
/** All of ASCII, and what is beyond: first, last, and some between. */
const BYTES: readonly number[] = [...Array(128).keys(), 0x80, 0x85, 0xa0, 0xad, 0xc3, 0xe9, 0xff];

function add(
  family: string,
  name: string,
  text: string,
  code: HttpRefusal,
  more: Partial<Malformed> = {},
): void {
  cases.push({ family, name, text, code, ...more });
}

/** A whole request with these field lines, each with its CRLF. */
const withFields = (lines: string, method: string = "GET", version: string = "1.1"): string =>
  `${method} / HTTP/${version}\r\n${lines}\r\n`;

// The method.
for (const byte of BYTES)
  if (!isTokenByte(byte) && byte !== 0x20) {
    const code = "ERR_HTTP_METHOD";
    add("method", `${shown(byte)} inside`, `G${character(byte)}T / HTTP/1.1\r\n${HOST}\r\n`, code);
    if (byte !== 0x0a && byte !== 0x0d)
      add("method", `${shown(byte)} before`, `${character(byte)}GET / HTTP/1.1\r\n${HOST}\r\n`, code);
  }
add("method", "absent", ` / HTTP/1.1\r\n${HOST}\r\n`, "ERR_HTTP_METHOD");
add("method", "alone", `GET\r\n${HOST}\r\n`, "ERR_HTTP_METHOD");
add("method", "a tab behind it", `GET\t/ HTTP/1.1\r\n${HOST}\r\n`, "ERR_HTTP_METHOD");
add(
  "method",
  "the start of a TLS connection",
  "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
  "ERR_HTTP_METHOD",
);

// Lines before the request line.
add("empty lines", "two", `\r\n\r\nGET / HTTP/1.1\r\n${HOST}\r\n`, "ERR_HTTP_EMPTY_LINE");
add("empty lines", "one that ends in LF", `\nGET / HTTP/1.1\r\n${HOST}\r\n`, "ERR_HTTP_BARE_LF");
add("empty lines", "CR alone", `\rGET / HTTP/1.1\r\n${HOST}\r\n`, "ERR_HTTP_BARE_CR");
add("empty lines", "CR twice", `\r\rGET / HTTP/1.1\r\n${HOST}\r\n`, "ERR_HTTP_BARE_CR");
add("empty lines", "a blank before the method", ` GET / HTTP/1.1\r\n${HOST}\r\n`, "ERR_HTTP_METHOD");

// The target.
for (const byte of BYTES)
  if (byte <= 0x20 || byte >= 0x7f || '"#<>'.includes(character(byte))) {
    const isEnd = byte === 0x0a || byte === 0x0d || byte === 0x20;
    const code = isEnd ? "ERR_HTTP_VERSION" : "ERR_HTTP_TARGET";
    add("target", `${shown(byte)} inside`, `GET /a${character(byte)}b HTTP/1.1\r\n${HOST}\r\n`, code);
  }
for (const [name, target] of Object.entries({
  absent: "",
  "no slash": "a",
  "a question mark first": "?a",
  "an asterisk for GET": "*",
  "two asterisks": "**",
  "an asterisk and a path": "*/a",
  "host and port for GET": "a:80",
  "another scheme": "ftp://a/",
  "a scheme without slashes": "http:a",
  "a scheme with one slash": "http:/a",
  "no host": "http:///a",
  "a user": "http://user@a/",
  "a user and a password": "http://user:pass@a/",
  "a port that is too large": "http://a:65536/",
  "a port that is a word": "http://a:http/",
  "half an IPv6 address": "http://[::1/",
  "an IPv6 address with a zone": "http://[fe80::1%eth0]/",
  "a backslash for a host": "http://a\\b/",
  "a backslash first": "\\a",
  "a relative path": "../a",
  "a percent sign alone in the host": "http://a%/",
}))
  add("target", name, `GET ${target} HTTP/1.1\r\n${HOST}\r\n`, "ERR_HTTP_TARGET");
for (const [name, target] of Object.entries({
  path: "/a",
  "host alone": "a",
  "no port": "a:",
  "port 0": "a:0",
  "a large port": "a:65536",
  "a long port": "a:000443",
  "a whole URI": "http://a:80/",
  asterisk: "*",
  "a user": "u@a:1",
  "a path behind it": "a:1/",
}))
  add("target", `CONNECT to ${name}`, `CONNECT ${target} HTTP/1.1\r\n${HOST}\r\n`, "ERR_HTTP_TARGET");

// The version.
for (const version of `HTTP/1.2 HTTP/2.0 HTTP/0.9 http/1.1 Http/1.1 HTTP/1.10 HTTP/01.1 HTTP/1,1 HTTP1.1 HTTPS/1.1
  HTTP/1. HTTP/1 HTTP/ HTTP ICY/1.1 HTTP/11 RTSP/1.0 HTTP/3 HTTP/1.a HTTP/1.1a HTTP/-1.1 HTTP/+1.1 HTTP/1.1.1 HTTP//1.1
  HTTP/2 HTP/1.1 XHTTP/1.1 1.1 \xc8TTP/1.1`.split(/\s+/))
  add("version", version, `GET / ${version}\r\n${HOST}\r\n`, "ERR_HTTP_VERSION");
for (const [name, text] of Object.entries({
  none: "GET /\r\n\r\n",
  "none, and no slash": "GET a\r\n\r\n",
  "none, ended by LF": "GET /\n\n",
  empty: `GET / \r\n${HOST}\r\n`,
  "a blank behind it": `GET / HTTP/1.1 \r\n${HOST}\r\n`,
  "a tab behind it": `GET / HTTP/1.1\t\r\n${HOST}\r\n`,
  "a word behind it": `GET / HTTP/1.1 a\r\n${HOST}\r\n`,
  "two blanks before it": `GET /  HTTP/1.1\r\n${HOST}\r\n`,
  "a blank inside": `GET / HTTP /1.1\r\n${HOST}\r\n`,
  "a tab before it": `GET / \tHTTP/1.1\r\n${HOST}\r\n`,
  "NUL behind it": `GET / HTTP/1.1\0\r\n${HOST}\r\n`,
  "the preface of HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}))
  add("version", name, text, "ERR_HTTP_VERSION");

// Ends of lines.
for (const [name, text, code] of [
  ["LF behind the request line", `GET / HTTP/1.1\n${HOST}\r\n`, "ERR_HTTP_BARE_LF"],
  ["LF behind a field", "GET / HTTP/1.1\r\nHost: a\n\r\n", "ERR_HTTP_BARE_LF"],
  ["LF alone for the last line", "GET / HTTP/1.1\r\nHost: a\r\n\n", "ERR_HTTP_BARE_LF"],
  ["LF everywhere", "GET / HTTP/1.1\nHost: a\n\n", "ERR_HTTP_BARE_LF"],
  ["LF inside a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\nY: b\r\n\r\n", "ERR_HTTP_BARE_LF"],
  ["LF before a value", "GET / HTTP/1.1\r\nHost: a\r\nX:\nY: b\r\n\r\n", "ERR_HTTP_BARE_LF"],
  ["CR behind the request line", `GET / HTTP/1.1\r${HOST}\r\n`, "ERR_HTTP_BARE_CR"],
  ["CR twice behind the request line", `GET / HTTP/1.1\r\r\n${HOST}\r\n`, "ERR_HTTP_BARE_CR"],
  ["CR behind a field", "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", "ERR_HTTP_BARE_CR"],
  ["CR twice behind a field", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", "ERR_HTTP_BARE_CR"],
  ["CR inside a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", "ERR_HTTP_BARE_CR"],
  ["CR for the last line", "GET / HTTP/1.1\r\nHost: a\r\n\rX", "ERR_HTTP_BARE_CR"],
  ["CR twice for the last line", "GET / HTTP/1.1\r\nHost: a\r\n\r\r\n", "ERR_HTTP_BARE_CR"],
  ["LF before CR", "GET / HTTP/1.1\r\nHost: a\n\r\n\r", "ERR_HTTP_BARE_LF"],
] as const)
  add("line ends", name, text, code);

// Field names.
for (const byte of BYTES)
  if (!isTokenByte(byte) && byte !== 0x3a) {
    let code: HttpRefusal = "ERR_HTTP_FIELD_NAME";
    if (byte === 0x20 || byte === 0x09) code = "ERR_HTTP_SPACE_BEFORE_COLON";
    if (byte === 0x0a || byte === 0x0d) code = "ERR_HTTP_NO_COLON";
    add("field name", `${shown(byte)} inside`, withFields(`${HOST}X${character(byte)}Y: 1\r\n`), code);
    if (code === "ERR_HTTP_FIELD_NAME")
      add("field name", `${shown(byte)} before`, withFields(`${HOST}${character(byte)}Y: 1\r\n`), code);
  }
add("field name", "empty", withFields(`${HOST}: 1\r\n`), "ERR_HTTP_FIELD_NAME");
for (const name of ["Host", "Content-Length", "Transfer-Encoding", "X"])
  for (const [what, blank] of Object.entries({ blank: " ", tab: "\t", "two blanks": "  ", both: "\t " }))
    add(
      "space before colon",
      `${what} behind ${name}`,
      withFields(`${name}${blank}: 1\r\n`),
      "ERR_HTTP_SPACE_BEFORE_COLON",
    );
for (const line of ["Host", "Host a", "=", "Host=a", "a;b"])
  add(
    "no colon",
    JSON.stringify(line),
    withFields(`${line}\r\n`),
    line.includes(" ")
      ? "ERR_HTTP_SPACE_BEFORE_COLON"
      : line === "Host"
        ? "ERR_HTTP_NO_COLON"
        : "ERR_HTTP_FIELD_NAME",
  );

// Field values.
for (const byte of [...Array(32).keys(), 0x7f])
  if (byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) {
    add(
      "field value",
      `${shown(byte)} inside`,
      withFields(`${HOST}X: a${character(byte)}b\r\n`),
      "ERR_HTTP_FIELD_VALUE",
    );
    add(
      "field value",
      `${shown(byte)} first`,
      withFields(`${HOST}X:${character(byte)}b\r\n`),
      "ERR_HTTP_FIELD_VALUE",
    );
  }

// Folded lines.
for (const [what, blank] of Object.entries({ blank: " ", tab: "\t", blanks: "   " })) {
  const code = "ERR_HTTP_OBS_FOLD";
  add("obs-fold", `${what} before the first field`, withFields(`${blank}Host: a\r\n`), code);
  add("obs-fold", `${what} in a second line`, withFields(`${HOST}X: a\r\n${blank}b\r\n`), code);
  add("obs-fold", `${what} in an empty second line`, withFields(`${HOST}X: a\r\n${blank}\r\n`), code);
  add(
    "obs-fold",
    `${what} in Transfer-Encoding`,
    withFields(`${HOST}Transfer-Encoding:\r\n${blank}chunked\r\n`, "POST"),
    code,
  );
  add(
    "obs-fold",
    `${what} in Content-Length`,
    withFields(`${HOST}Content-Length:\r\n${blank}5\r\n`, "POST"),
    code,
  );
  add(
    "obs-fold",
    `${what} before a field that smuggles`,
    withFields(`${HOST}X: a\r\n${blank}Content-Length: 5\r\n`, "POST"),
    code,
  );
}

// Host.
add("host", "none", withFields(""), "ERR_HTTP_HOST_MISSING");
add("host", "none, and another field", withFields("X: a\r\n"), "ERR_HTTP_HOST_MISSING");
add("host", "none for a whole URI", "GET http://a/ HTTP/1.1\r\n\r\n", "ERR_HTTP_HOST_MISSING");
add("host", "none for CONNECT", "CONNECT a:1 HTTP/1.1\r\n\r\n", "ERR_HTTP_HOST_MISSING");
for (const [name, lines] of Object.entries({
  "twice the same": "Host: a\r\nHost: a\r\n",
  "two others": "Host: a\r\nHost: b\r\n",
  "in two cases": "Host: a\r\nhOST: a\r\n",
  "one of them empty": "Host: a\r\nHost:\r\n",
  "with a field between": "Host: a\r\nX: 1\r\nHost: a\r\n",
}))
  for (const version of ["1.1", "1.0"])
    add("host", `${name} in ${version}`, withFields(lines, "GET", version), "ERR_HTTP_HOST_REPEATED");
for (const value of [
  ...[
    "a/b",
    "a?b",
    "a#b",
    "u@a",
    "a b",
    "a\tb",
    "a, b",
    "http://a",
    "a\\b",
    '"a"',
    "<a>",
    "a:b",
    "a:80:80",
    "a:65536",
  ],
  ...[
    "a:-1",
    "a:999999",
    "::1",
    "[::1",
    "::1]",
    "[a]",
    "[]",
    "[::1]a",
    "[::1%25lo]",
    "a%",
    "a%2",
    "a%zz",
    "\xe4",
    "a|b",
  ],
  ...["a^b", "a`b", "{a}", ":80", "/", "@", "[::1]:65536", "a:80/"],
])
  add("host", JSON.stringify(value), withFields(`Host: ${value}\r\n`), "ERR_HTTP_HOST");
for (const [target, host] of [
  ["http://a/", "b"],
  ["http://a:80/", "a:81"],
  ["http://a/", "a:8080"],
  ["https://a/", "a:80"],
  ["http://a/", ""],
  ["http://a/", "a.b"],
] as const)
  add(
    "host",
    `${target} to ${JSON.stringify(host)}`,
    `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
    "ERR_HTTP_HOST_MISMATCH",
  );
for (const host of ["b:443", "b", "a:444"])
  add(
    "host",
    `CONNECT a:443 to ${host}`,
    `CONNECT a:443 HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
    "ERR_HTTP_HOST_MISMATCH",
  );

// Content-Length.
const post = (lines: string, body: string = "", version: string = "1.1"): string =>
  `POST / HTTP/${version}\r\n${HOST}${lines}\r\n${body}`;
for (const value of [
  ...[
    "",
    "+5",
    "-5",
    "5.0",
    "0x5",
    "5 5",
    "5a",
    "a",
    "5;q=1",
    '"5"',
    "five",
    "5e1",
    "\xd9\xa1",
    "5_0",
    "- 5",
    "0 5",
    "5\t5",
  ],
  ...[
    "9007199254740993",
    "18446744073709551621",
    "99999999999999999999999999",
    "0000000000000005",
    "\xb2",
    "5'",
    "(5)",
  ],
])
  add(
    "content-length",
    JSON.stringify(value),
    post(`Content-Length: ${value}\r\n`, "hello"),
    "ERR_HTTP_CONTENT_LENGTH",
  );
for (const [name, lines] of Object.entries({
  "twice the same": "Content-Length: 5\r\nContent-Length: 5\r\n",
  "two others": "Content-Length: 5\r\nContent-Length: 6\r\n",
  "zero and more": "Content-Length: 0\r\nContent-Length: 5\r\n",
  "in two cases": "Content-Length: 5\r\ncontent-length: 5\r\n",
  "with a field between": "Content-Length: 5\r\nX: 1\r\nContent-Length: 5\r\n",
  "a list of the same": "Content-Length: 5, 5\r\n",
  "a list of two": "Content-Length: 5,6\r\n",
  "a comma behind it": "Content-Length: 5,\r\n",
  "a comma before it": "Content-Length: ,5\r\n",
}))
  for (const version of ["1.1", "1.0"])
    add(
      "content-length",
      `${name} in ${version}`,
      post(lines, "hello", version),
      "ERR_HTTP_CONTENT_LENGTH_REPEATED",
    );

// Transfer-Encoding.
const CHUNKS = "5\r\nhello\r\n0\r\n\r\n";
for (const [name, lines] of Object.entries({
  "length first": "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
  "length last": "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
  "length 0": "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
  "a field between": "Content-Length: 5\r\nX: 1\r\nTransfer-Encoding: chunked\r\n",
  "another coding": "Content-Length: 5\r\nTransfer-Encoding: identity\r\n",
  "in capitals": "CONTENT-LENGTH: 5\r\nTRANSFER-ENCODING: CHUNKED\r\n",
}))
  for (const version of ["1.1", "1.0"])
    add(
      "length and encoding",
      `${name} in ${version}`,
      post(lines, CHUNKS, version),
      "ERR_HTTP_LENGTH_AND_ENCODING",
    );
for (const value of `identity gzip deflate compress xchunked chunkedx chunke x-gzip chunked_ cow`.split(" "))
  add(
    "transfer-encoding",
    value,
    post(`Transfer-Encoding: ${value}\r\n`, CHUNKS),
    "ERR_HTTP_TRANSFER_CODING_UNKNOWN",
  );
for (const value of ["gzip, chunked", "identity, chunked", "gzip,deflate,chunked", "gzip, gzip"])
  add(
    "transfer-encoding",
    value,
    post(`Transfer-Encoding: ${value}\r\n`, CHUNKS),
    "ERR_HTTP_TRANSFER_CODING_UNKNOWN",
  );
for (const value of ["chunked, gzip", "chunked, identity", "chunked,chunked,gzip", "gzip, chunked, identity"])
  add(
    "transfer-encoding",
    value,
    post(`Transfer-Encoding: ${value}\r\n`, CHUNKS),
    "ERR_HTTP_CHUNKED_NOT_LAST",
  );
for (const value of [
  ...[
    "",
    ",",
    ", chunked",
    "chunked,",
    "chunked, , chunked",
    "chunked, chunked",
    "chunked chunked",
    '"chunked"',
  ],
  ...[
    "chunked;q=1",
    "chunked;a",
    "chun\tked",
    "chunked/1",
    "{chunked}",
    "chunked\x80",
    "ch=unked",
    "chunked:",
  ],
  ...["[chunked]", "chunked;", "'chunked' ,x;", "<chunked>"],
])
  add(
    "transfer-encoding",
    JSON.stringify(value),
    post(`Transfer-Encoding: ${value}\r\n`, CHUNKS),
    "ERR_HTTP_TRANSFER_ENCODING",
  );
for (const [name, lines, code] of [
  ["two lines", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "ERR_HTTP_TRANSFER_ENCODING"],
  [
    "identity in a second line",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    "ERR_HTTP_CHUNKED_NOT_LAST",
  ],
  [
    "identity in a first line",
    "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
    "ERR_HTTP_TRANSFER_CODING_UNKNOWN",
  ],
  [
    "an empty second line",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n",
    "ERR_HTTP_TRANSFER_ENCODING",
  ],
] as const)
  add("transfer-encoding", name, post(lines, CHUNKS), code);
add(
  "transfer-encoding",
  "in HTTP/1.0",
  post("Transfer-Encoding: chunked\r\n", CHUNKS, "1.0"),
  "ERR_HTTP_TRANSFER_ENCODING_IN_1_0",
);
add(
  "transfer-encoding",
  "a vertical tab before it",
  post("Transfer-Encoding:\x0bchunked\r\n", CHUNKS),
  "ERR_HTTP_FIELD_VALUE",
);

// Chunks.
const chunked = (body: string): string => post("Transfer-Encoding: chunked\r\n", body);
for (const size of [
  "",
  " 5",
  "\t5",
  "+5",
  "-5",
  "0x5",
  "g",
  "5g",
  "5.",
  "#5",
  ",5",
  "5,5",
  "\xd9\xa5",
  "5_0",
  "$5",
  '"5"',
  "\x005",
  "5\x00",
  "5\x0b",
  "5h",
])
  add("chunk size", JSON.stringify(size), chunked(`${size}\r\nhello\r\n0\r\n\r\n`), "ERR_HTTP_CHUNK_SIZE");
for (const size of [
  "10000000000000",
  "00000000000005",
  "ffffffffffffffff",
  "fffffffffffffffffffffff5",
  "8000000000000005",
])
  add("chunk size", size, chunked(`${size}\r\nhello\r\n0\r\n\r\n`), "ERR_HTTP_CHUNK_SIZE_TOO_LARGE");
for (const [name, body, code] of [
  ["ended by LF", "5\nhello\r\n0\r\n\r\n", "ERR_HTTP_BARE_LF"],
  ["ended by CR", "5\rhello\r\n0\r\n\r\n", "ERR_HTTP_BARE_CR"],
  ["ended by CR CR LF", "5\r\r\nhello\r\n0\r\n\r\n", "ERR_HTTP_BARE_CR"],
  ["LF for a whole line", "\n", "ERR_HTTP_BARE_LF"],
  ["an empty line before it", "\r\n5\r\nhello\r\n0\r\n\r\n", "ERR_HTTP_CHUNK_SIZE"],
] as const)
  add("chunk size", name, chunked(body), code);
for (const extension of [
  ...[
    " ",
    "\t",
    " ;",
    ";",
    ";;a",
    "; ;a",
    ";a;",
    ";=b",
    ";a=",
    ";a==b",
    ";a=b c",
    ";a b",
    ' "a"',
    ";a ",
    ";a=b ",
    ";a,b",
  ],
  ...[
    ';a="b',
    ';a="b"c',
    ';"a"',
    ";a='b\"",
    ";a=(b)",
    ";\x01",
    ";a=\x01",
    ';a="\x01"',
    ';a="\x7f"',
    ";\x80",
    ";a/b",
    " a",
  ],
])
  add(
    "chunk extension",
    JSON.stringify(extension),
    chunked(`5${extension}\r\nhello\r\n0\r\n\r\n`),
    "ERR_HTTP_CHUNK_EXTENSION",
  );
for (const [name, body, code] of [
  ["LF inside", "5;a\nhello\r\n0\r\n\r\n", "ERR_HTTP_BARE_LF"],
  ["LF in a value", "5;a=b\nc\r\nhello\r\n0\r\n\r\n", "ERR_HTTP_BARE_LF"],
  ["LF in quotes", '5;a="b\nc"\r\nhello\r\n0\r\n\r\n', "ERR_HTTP_BARE_LF"],
  ["LF behind the semicolon", "5;\nhello\r\n0\r\n\r\n", "ERR_HTTP_BARE_LF"],
  ["LF behind a blank", "5 \nhello\r\n0\r\n\r\n", "ERR_HTTP_BARE_LF"],
  ["CR inside", "5;a\rb\r\nhello\r\n0\r\n\r\n", "ERR_HTTP_BARE_CR"],
  ["CR in quotes", '5;a="b\r\nc"\r\nhello\r\n0\r\n\r\n', "ERR_HTTP_CHUNK_EXTENSION"],
] as const)
  add("chunk extension", name, chunked(body), code);
for (const [name, body] of Object.entries({
  "LF alone": "5\r\nhello\n0\r\n\r\n",
  "CR alone": "5\r\nhello\r0\r\n\r\n",
  nothing: "5\r\nhello0\r\n\r\n",
  "one byte too many": "5\r\nhellox\r\n0\r\n\r\n",
  "one byte too few": "5\r\nhell\r\n0\r\n\r\n",
  "an empty line in between": "5\r\nhello \r\n0\r\n\r\n",
  "CR twice": "5\r\nhello\r\r\n0\r\n\r\n",
  "LF before CR": "5\r\nhello\n\r0\r\n\r\n",
}))
  add("chunk end", name, chunked(body), "ERR_HTTP_CHUNK_END");

// Trailers.
for (const name of `Transfer-Encoding Content-Length Host Content-Type Content-Encoding Content-Range Authorization Cookie
  Set-Cookie Trailer TE Connection Expect Range Cache-Control Max-Forwards If-Match Location Vary Age Date Expires
  X-Forwarded-For Upgrade Keep-Alive Proxy-Authorization`.split(/\s+/))
  add("trailer", name, chunked(`0\r\n${name}: 5\r\n\r\n`), "ERR_HTTP_TRAILER_FIELD");
for (const [name, body, code] of [
  ["a blank before the colon", "0\r\nX : 1\r\n\r\n", "ERR_HTTP_SPACE_BEFORE_COLON"],
  ["a folded line", "0\r\nX: 1\r\n 2\r\n\r\n", "ERR_HTTP_OBS_FOLD"],
  ["a blank first", "0\r\n X: 1\r\n\r\n", "ERR_HTTP_OBS_FOLD"],
  ["no colon", "0\r\nX\r\n\r\n", "ERR_HTTP_NO_COLON"],
  ["LF behind it", "0\r\nX: 1\n\r\n", "ERR_HTTP_BARE_LF"],
  ["LF for the last line", "0\r\n\n", "ERR_HTTP_BARE_LF"],
  ["CR for the last line", "0\r\n\rX", "ERR_HTTP_BARE_CR"],
  ["NUL in a value", "0\r\nX: \0\r\n\r\n", "ERR_HTTP_FIELD_VALUE"],
  ["a request line", "0\r\nGET / HTTP/1.1\r\n\r\n", "ERR_HTTP_SPACE_BEFORE_COLON"],
  ["an empty name", "0\r\n: 1\r\n\r\n", "ERR_HTTP_FIELD_NAME"],
] as const)
  add("trailer", name, chunked(body), code);

// Content where there is none, and fields that cannot be read.
for (const [name, lines] of Object.entries({
  "Content-Length": "Content-Length: 5\r\n",
  "Transfer-Encoding": "Transfer-Encoding: chunked\r\n",
}))
  add(
    "unexpected content",
    `CONNECT with ${name}`,
    `CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n${lines}\r\n`,
    "ERR_HTTP_UNEXPECTED_CONTENT",
  );
for (const value of ['"close"', "close;a", "a/b", "close close", "@", "keep-alive; timeout=5", "(close)"])
  add("connection", value, withFields(`${HOST}Connection: ${value}\r\n`), "ERR_HTTP_CONNECTION");
for (const value of [
  "",
  "200-ok",
  "100-continue, 100-continue",
  "100-continue;a",
  "100",
  "continue",
  '"100-continue"',
])
  add("expect", JSON.stringify(value), withFields(`${HOST}Expect: ${value}\r\n`), "ERR_HTTP_EXPECTATION");

// Limits.
const many = (count: number): string => Array.from({ length: count }, (_, at) => `X${at}: 1\r\n`).join("");
for (const [name, text, code] of [
  ["a long target", `GET /${"a".repeat(9000)} HTTP/1.1\r\n${HOST}\r\n`, "ERR_HTTP_START_LINE_TOO_LONG"],
  ["a long target that does not end", `GET /${"a".repeat(9000)}`, "ERR_HTTP_START_LINE_TOO_LONG"],
  ["a long method", `${"A".repeat(9000)} / HTTP/1.1\r\n${HOST}\r\n`, "ERR_HTTP_START_LINE_TOO_LONG"],
  ["a long value", withFields(`${HOST}X: ${"a".repeat(17_000)}\r\n`), "ERR_HTTP_HEADER_TOO_LARGE"],
  ["a long name", withFields(`${HOST}${"X".repeat(17_000)}: a\r\n`), "ERR_HTTP_HEADER_TOO_LARGE"],
  ["a long blank", withFields(`${HOST}X:${" ".repeat(17_000)}a\r\n`), "ERR_HTTP_HEADER_TOO_LARGE"],
  [
    "a long field that does not end",
    `GET / HTTP/1.1\r\nX: ${"a".repeat(17_000)}`,
    "ERR_HTTP_HEADER_TOO_LARGE",
  ],
  [
    "large fields",
    withFields(`${HOST}${`X: ${"a".repeat(500)}\r\n`.repeat(40)}`),
    "ERR_HTTP_HEADER_TOO_LARGE",
  ],
  ["many fields", withFields(`${HOST}${many(100)}`), "ERR_HTTP_TOO_MANY_FIELDS"],
  ["a long extension", chunked(`5;a=${"b".repeat(2000)}\r\nhello\r\n`), "ERR_HTTP_CHUNK_EXTENSION_TOO_LONG"],
  [
    "a long extension that does not end",
    chunked(`5;${"b".repeat(2000)}`),
    "ERR_HTTP_CHUNK_EXTENSION_TOO_LONG",
  ],
  ["long blanks before an extension", chunked(`5${" ".repeat(2000)};a`), "ERR_HTTP_CHUNK_EXTENSION_TOO_LONG"],
  [
    "large trailers",
    chunked(`0\r\n${`X: ${"a".repeat(500)}\r\n`.repeat(10)}\r\n`),
    "ERR_HTTP_TRAILERS_TOO_LARGE",
  ],
  ["a long trailer that does not end", chunked(`0\r\nX: ${"a".repeat(5000)}`), "ERR_HTTP_TRAILERS_TOO_LARGE"],
  ["many trailers", chunked(`0\r\n${many(101)}\r\n`), "ERR_HTTP_TOO_MANY_FIELDS"],
] as const)
  add("limit", name, text, code);
const small = { limits: { bodyBytesMax: 9 } };
const tooLarge = "ERR_HTTP_BODY_TOO_LARGE";
add("limit", "a long body by its length", post("Content-Length: 10\r\n", "0123456789"), tooLarge, small);
add("limit", "a long body in one chunk", chunked("a\r\n0123456789\r\n0\r\n\r\n"), tooLarge, small);
add("limit", "a long body in two chunks", chunked("5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n"), tooLarge, small);
add("limit", "a long body until the close", "HTTP/1.1 200 OK\r\n\r\n0123456789", tooLarge, {
  ...small,
  answers: "GET",
});

// Ends inside a message.
for (const text of [
  ...[
    "G",
    "GET / HTTP/1.1",
    "GET / HTTP/1.1\r",
    "GET / HTTP/1.1\r\n",
    "GET / HTTP/1.1\r\nHo",
    "GET / HTTP/1.1\r\nHost: a\r\n",
  ],
  ...[
    "GET / HTTP/1.1\r\nHost: a\r\n\r",
    post("Content-Length: 5\r\n"),
    post("Content-Length: 5\r\n", "hell"),
    "\r",
  ],
  ...[
    chunked(""),
    chunked("5"),
    chunked("5\r\n"),
    chunked("5\r\nhell"),
    chunked("5\r\nhello"),
    chunked("5\r\nhello\r"),
  ],
  ...[
    chunked("5\r\nhello\r\n"),
    chunked("0"),
    chunked("0\r\n"),
    chunked("0\r\nX: 1\r\n"),
    chunked("0\r\n\r"),
  ],
])
  add("unexpected end", JSON.stringify(text.slice(-24)), text, "ERR_HTTP_UNEXPECTED_END", { ends: true });

// Responses.
function response(
  family: string,
  name: string,
  text: string,
  code: HttpRefusal,
  more: Partial<Malformed> = {},
): void {
  add(family, `response: ${name}`, text, code, { answers: "GET", ...more });
}
for (const line of `HTTP/1.2 HTTP/2 HTTP/0.9 http/1.1 HTTP1.1 ICY SIP/2.0 HTTP/1.1.1 \tHTTP/1.1`.split(" "))
  response("status line", `${JSON.stringify(line)} 200 OK`, `${line} 200 OK\r\n\r\n`, "ERR_HTTP_VERSION");
for (const rest of ["\t200 OK", "", "200 OK"])
  response("status line", `HTTP/1.1${JSON.stringify(rest)}`, `HTTP/1.1${rest}\r\n\r\n`, "ERR_HTTP_VERSION");
for (const status of [
  " OK",
  " 20",
  " 2",
  " 2000",
  " 099",
  " 000",
  " 20a",
  " +20",
  " -20",
  "  200",
  " 20 0",
  " 0x2",
  " 200\tOK",
  " 200;",
  " a00",
  " ",
])
  response(
    "status line",
    `HTTP/1.1${JSON.stringify(status)}`,
    `HTTP/1.1${status}\r\n\r\n`,
    "ERR_HTTP_STATUS_LINE",
  );
for (const byte of [0, 1, 7, 8, 11, 12, 27, 31, 127])
  response(
    "status line",
    `${shown(byte)} in the reason`,
    `HTTP/1.1 200 O${character(byte)}K\r\n\r\n`,
    "ERR_HTTP_STATUS_LINE",
  );
for (const [name, text, code] of [
  ["LF behind the status line", "HTTP/1.1 200 OK\n\r\n", "ERR_HTTP_BARE_LF"],
  ["CR inside the reason", "HTTP/1.1 200 O\rK\r\n\r\n", "ERR_HTTP_BARE_CR"],
  ["an empty line before it", "\r\nHTTP/1.1 200 OK\r\n\r\n", "ERR_HTTP_VERSION"],
  ["a request", "GET / HTTP/1.1\r\n\r\n", "ERR_HTTP_VERSION"],
] as const)
  response("status line", name, text, code);
for (const status of [100, 103, 204])
  for (const [name, line] of Object.entries({
    "Content-Length": "Content-Length: 5",
    "Transfer-Encoding": "Transfer-Encoding: chunked",
  }))
    response(
      "unexpected content",
      `${name} in ${status}`,
      `HTTP/1.1 ${status} X\r\n${line}\r\n\r\n`,
      "ERR_HTTP_UNEXPECTED_CONTENT",
    );
for (const [name, lines, code] of [
  ["two lengths", "Content-Length: 5\r\nContent-Length: 5\r\n", "ERR_HTTP_CONTENT_LENGTH_REPEATED"],
  ["a list of lengths", "Content-Length: 5, 5\r\n", "ERR_HTTP_CONTENT_LENGTH_REPEATED"],
  ["a negative length", "Content-Length: -5\r\n", "ERR_HTTP_CONTENT_LENGTH"],
  [
    "length and encoding",
    "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    "ERR_HTTP_LENGTH_AND_ENCODING",
  ],
  ["an unknown coding", "Transfer-Encoding: gzip\r\n", "ERR_HTTP_TRANSFER_CODING_UNKNOWN"],
  ["chunked first", "Transfer-Encoding: chunked, gzip\r\n", "ERR_HTTP_CHUNKED_NOT_LAST"],
  [
    "chunked twice",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    "ERR_HTTP_TRANSFER_ENCODING",
  ],
  ["a blank before the colon", "Content-Length : 5\r\n", "ERR_HTTP_SPACE_BEFORE_COLON"],
  ["a folded line", "X: a\r\n b\r\n", "ERR_HTTP_OBS_FOLD"],
  ["NUL in a value", "X: \0\r\n", "ERR_HTTP_FIELD_VALUE"],
] as const)
  response("response fields", name, `HTTP/1.1 200 OK\r\n${lines}\r\nhello`, code);
response(
  "response fields",
  "chunked in 1.0",
  "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
  "ERR_HTTP_TRANSFER_ENCODING_IN_1_0",
);
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
for (const [name, text] of Object.entries({
  "a second response": `${OK}${OK}`,
  "101 without an offer": "HTTP/1.1 101 Switching Protocols\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n",
  "content behind 204": "HTTP/1.1 204 No Content\r\n\r\nhello",
  "content behind 304": "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello",
}))
  response("unexpected response", name, text, "ERR_HTTP_UNEXPECTED_RESPONSE");
response("unexpected response", "content to HEAD", `${OK}hello`, "ERR_HTTP_UNEXPECTED_RESPONSE", {
  answers: "HEAD",
});
for (const text of [
  "H",
  "HTTP/1.1 200 OK\r\n",
  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
])
  response("unexpected end", JSON.stringify(text.slice(-16)), text, "ERR_HTTP_UNEXPECTED_END", {
    ends: true,
  });

/** All of them. */
export const MALFORMED: readonly Malformed[] = cases;
