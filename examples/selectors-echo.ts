// An echo server that waits for all of its sockets at once, as the one in the documentation of CPython's selectors.
// node selectors-echo.js [HOST [PORT]]
import * as selectors from "berkeley/selectors";
import * as socket from "berkeley/sync";

type Callback = (sock: socket.Socket, mask: number) => void;

const sel = new selectors.DefaultSelector<Callback, socket.Socket>();

function accept(sock: socket.Socket): void {
  const [conn, addr] = sock.accept(); // Should be ready
  console.log("accepted", conn, "from", addr);
  conn.setblocking(false);
  sel.register(conn, selectors.EVENT_READ, read);
}

function read(conn: socket.Socket): void {
  const data = conn.recv(1000); // Should be ready
  if (data.length > 0) {
    console.log("echoing", data.toString(), "to", conn);
    conn.send(data); // Hope it won't block
  } else {
    console.log("closing", conn);
    sel.unregister(conn);
    conn.close();
  }
}

const sock = socket.socket();
sock.bind([process.argv[2] ?? "localhost", Number(process.argv[3] ?? 1234)]);
sock.listen(100);
sock.setblocking(false);
sel.register(sock, selectors.EVENT_READ, accept);
console.log("listening on", ...sock.getsockname());

while (true) {
  const events = sel.select();
  for (const [key, mask] of events) {
    const callback = key.data;
    callback(key.fileobj, mask);
  }
}
