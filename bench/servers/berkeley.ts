// Berkeley itself, as its user writes it: an accept loop, an async function per connection.
import { subscribe } from "node:diagnostics_channel";
import {
  create_connection,
  create_server,
  IPPROTO_TCP,
  relay as relayBetween,
  TCP_NODELAY,
  type Socket,
} from "berkeley";
import { SocketStream, toDuplex } from "berkeley/stream";
import { Engine } from "#dist/engine/engine.js";
import { announce, BACKLOG, CHUNK_BYTES, chosenJob, ignoreDeparture, target } from "./control.ts";

/** recv(): each message in memory of its own. */
async function echo(conn: Socket): Promise<void> {
  try {
    for (;;) {
      const data = await conn.recv(CHUNK_BYTES);
      if (data.length === 0) break;
      await conn.sendall(data);
    }
  } catch (error) {
    ignoreDeparture(error);
  } finally {
    conn.close();
  }
}

/** recv_into(): every message in the same buffer. */
async function echoInto(conn: Socket): Promise<void> {
  const buffer = Buffer.alloc(CHUNK_BYTES);
  try {
    for (;;) {
      const n = await conn.recv_into(buffer);
      if (n === 0) break;
      await conn.sendall(buffer.subarray(0, n));
    }
  } catch (error) {
    ignoreDeparture(error);
  } finally {
    conn.close();
  }
}

/** As if there were no channels: nobody looks whether they have subscribers. */
function echoUnwatched(conn: Socket): Promise<void> {
  Engine.look = () => undefined;
  return echoInto(conn);
}

let told = 0;
const tell = (): void => void told++;

/** Somebody subscribes. */
function echoWatched(name: string): (conn: Socket) => Promise<void> {
  return (conn) => {
    if (told === 0) subscribe(name, tell);
    told++;
    return echoInto(conn);
  };
}

/** The same over the interface that protocols use. */
async function echoStream(conn: Socket): Promise<void> {
  const stream = new SocketStream(conn);
  try {
    for (;;) {
      const data = await stream.receiveSome(CHUNK_BYTES);
      if (data.length === 0) break;
      await stream.sendAll(data);
    }
  } catch (error) {
    ignoreDeparture(error);
  } finally {
    stream.close();
  }
}

/** As the node:net peer, over a stream of ours. */
function echoDuplex(conn: Socket): Promise<void> {
  const duplex = toDuplex(new SocketStream(conn));
  duplex.on("error", ignoreDeparture);
  duplex.on("data", (data) => {
    if (!duplex.write(data)) {
      duplex.pause();
      duplex.once("drain", () => duplex.resume());
    }
  });
  return Promise.resolve();
}

async function receive(conn: Socket): Promise<void> {
  try {
    for (;;) {
      const data = await conn.recv(CHUNK_BYTES);
      if (data.length === 0) break;
    }
  } catch (error) {
    ignoreDeparture(error);
  } finally {
    conn.close();
  }
}

async function receiveInto(conn: Socket): Promise<void> {
  const buffer = Buffer.alloc(CHUNK_BYTES);
  try {
    while ((await conn.recv_into(buffer)) > 0);
  } catch (error) {
    ignoreDeparture(error);
  } finally {
    conn.close();
  }
}

async function send(conn: Socket): Promise<void> {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  try {
    for (;;) await conn.sendall(chunk);
  } catch (error) {
    ignoreDeparture(error);
  } finally {
    conn.close();
  }
}

/** One byte each way, then this side closes. */
async function exchange(conn: Socket): Promise<void> {
  try {
    await conn.sendall(await conn.recv(1));
  } catch (error) {
    ignoreDeparture(error);
  } finally {
    conn.close();
  }
}

async function onwards(conn: Socket, relayBoth: (onward: Socket) => Promise<unknown>): Promise<void> {
  const onward = await create_connection(["127.0.0.1", target.port]);
  onward.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
  try {
    await relayBoth(onward);
  } catch (error) {
    ignoreDeparture(error);
  } finally {
    conn.close();
    onward.close();
  }
}

/** Inside the kernel. */
async function relay(conn: Socket): Promise<void> {
  await onwards(conn, (onward) => relayBetween(conn, onward));
}

/** Through a buffer of the program's, each way. */
async function relayInto(conn: Socket): Promise<void> {
  const oneWay = async (from: Socket, to: Socket): Promise<void> => {
    const buffer = Buffer.alloc(CHUNK_BYTES);
    for (let n = await from.recv_into(buffer); n > 0; n = await from.recv_into(buffer))
      await to.sendall(buffer.subarray(0, n));
  };
  await onwards(conn, (onward) => Promise.all([oneWay(conn, onward), oneWay(onward, conn)]));
}

const jobs = {
  echo,
  "echo-into": echoInto,
  "echo-stream": echoStream,
  "echo-duplex": echoDuplex,
  "echo-unwatched": echoUnwatched,
  "echo-watched-close": echoWatched("berkeley:close"),
  "echo-watched-bytes": echoWatched("berkeley:bytes"),
  receive,
  "receive-into": receiveInto,
  send,
  exchange,
  idle: echo,
  relay,
  "relay-into": relayInto,
};
const known = Object.keys(jobs) as (keyof typeof jobs)[];
const serve = jobs[chosenJob(known)];

const server = create_server(["127.0.0.1", 0], { backlog: BACKLOG });
announce(server.getsockname()[1]);
for (;;) {
  const [conn] = await server.accept();
  conn.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
  void serve(conn);
}
