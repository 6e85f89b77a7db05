// request() against servers that we did not write: CPython's http.server, nginx, node:http.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { IncomingMessage, RequestListener } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { HttpClient } from "berkeley/http";
import { NGINX, nginxFolder, startNginx } from "../support/nginx.ts";
import { PYTHON, portOf, python } from "../support/python.ts";

const SERVER = `
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *words): pass
    def do_GET(self):
        if self.path == "/chunks":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in (b"one", b" two" * 20000, b" three"):
                self.wfile.write(b"%x\\r\\n%s\\r\\n" % (len(piece), piece))
            self.wfile.write(b"0\\r\\nX-Sum: 1\\r\\n\\r\\n")
        elif self.path == "/old":
            self.close_connection = True
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"until the end")
        else: self.reply(self.path.encode())
    def do_HEAD(self): self.do_GET()
    def do_POST(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            content = b""
            while size := int(self.rfile.readline(), 16): content += self.rfile.read(size + 2)[:-2]
            self.rfile.readline()
        else: content = self.rfile.read(int(self.headers["Content-Length"]))
        self.reply(content)
    def reply(self, content):
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD": self.wfile.write(content)
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
say("port", server.server_port)
server.serve_forever()
`;

test("CPython's http.server: content of every framing both ways, HEAD, 100-continue, one connection", {
  skip: PYTHON.skip,
}, async () => {
  await using child = python(SERVER);
  const url = `http://127.0.0.1:${await portOf(child)}`;
  await using client = new HttpClient();
  assert.equal(await (await client.request(`${url}/a?b`)).text(), "/a?b");
  const head = await client.request(`${url}/abc`, { method: "HEAD" });
  assert.equal(head.headers.get("content-length"), "4");
  assert.equal(await head.text(), "");
  const chunks = await client.request(`${url}/chunks`);
  assert.equal(await chunks.text(), `one${" two".repeat(20_000)} three`);
  assert.equal(chunks.trailers.get("x-sum"), "1");
  const body = "x".repeat(300_000);
  const post = { method: "POST" };
  assert.equal(await (await client.request(url, { ...post, body })).text(), body);
  assert.equal(await (await client.request(url, { ...post, body: ["ab", "c"] })).text(), "abc");
  const continued: number[] = [];
  const asked = await client.request(url, {
    ...post,
    body: "continued",
    expectContinue: true,
    onInformational: ({ status }) => continued.push(status),
  });
  assert.equal(await asked.text(), "continued");
  assert.deepEqual(continued, [100]);
  assert.equal(client.stats().connections, 1);
  assert.equal(await (await client.request(`${url}/old`)).text(), "until the end");
  assert.equal(client.stats().connections, 0);
});

const SITE = `
  client_max_body_size 0;
  location /text { return 200 "hello from nginx"; }
  location /gone { return 204; }
  location /status { return 404 "nothing"; }
  location /later { add_header Link "</a>" always; return 200 "later"; keepalive_requests 1; }`;

test("nginx: answers on one connection, and what it closes is opened again", {
  skip: NGINX.skip,
}, async () => {
  await using nginx = await startNginx(SITE, nginxFolder());
  await using client = new HttpClient({ path: nginx.front });
  for (let count = 0; count < 3; count++) {
    assert.equal(await (await client.request("http://a/text")).text(), "hello from nginx");
    assert.equal((await client.request("http://a/gone")).status, 204);
    const missing = await client.request("http://a/status");
    assert.equal(missing.status, 404);
    assert.equal(await missing.text(), "nothing");
    assert.equal(client.stats().connections, 1);
  }
  for (let count = 0; count < 3; count++) {
    const response = await client.request("http://a/later");
    assert.equal(await response.text(), "later");
    assert.equal(client.stats().connections, 0);
  }
});

async function withNode(
  listener: RequestListener,
  use: (url: string, client: HttpClient) => Promise<void>,
): Promise<void> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  await using client = new HttpClient();
  await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, client);
  client.close();
  server.close();
  await once(server, "close");
}

async function contentOf(asked: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of asked) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

test("node:http: 64 requests at a time echo their contents, chunked and not", async () => {
  const echo: RequestListener = (asked, reply) => {
    void contentOf(asked).then((content) => reply.end(content));
  };
  await withNode(echo, async (url, client) => {
    let number = 0;
    await Promise.all(
      Array.from({ length: 64 }, async () => {
        while (number < 1000) {
          const text = `${number++} ${"x".repeat((number * 7919) % 5000)}`;
          const body = number % 2 === 0 ? text : [text, "!"];
          const response = await client.request(url, { method: "PUT", body });
          assert.equal(await response.text(), typeof body === "string" ? body : `${text}!`);
        }
      }),
    );
    assert.ok(client.stats().connections <= 64);
  });
});

test("node:http: early hints, trailers, and a connection that it destroys", async () => {
  let count = 0;
  const handle: RequestListener = (asked, reply) => {
    if (++count === 2) {
      asked.socket.destroy();
      return;
    }
    reply.writeEarlyHints({ link: "</a>; rel=preload" });
    reply.writeHead(200, { trailer: "x-sum" });
    reply.write("abc");
    reply.addTrailers({ "x-sum": "6" });
    reply.end();
  };
  await withNode(handle, async (url, client) => {
    for (let round = 0; round < 2; round++) {
      const hints: (string | undefined)[] = [];
      // The second one is sent on a connection that dies, and then again.
      const response = await client.request(url, {
        onInformational: ({ fields }) => hints.push(fields.get("link")),
      });
      assert.equal(await response.text(), "abc");
      assert.equal(response.trailers.get("x-sum"), "6");
      assert.deepEqual(hints, ["</a>; rel=preload"]);
    }
    assert.equal(count, 3);
  });
});

test("node:http: an upgraded connection carries bytes both ways", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  server.on("upgrade", (_, socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello ");
    socket.pipe(socket);
  });
  await once(server, "listening");
  await using client = new HttpClient();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { stream } = await client.request(url, { upgrade: "echo" });
  assert.ok(stream !== undefined);
  await stream.sendAll("you");
  let text = "";
  while (text.length < 9) text += String(await stream.receiveSome());
  assert.equal(text, "hello you");
  stream.close();
  server.close();
});
