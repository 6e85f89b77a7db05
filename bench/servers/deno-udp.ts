// The Deno peer over UDP: Deno.listenDatagram, Deno's own API, which gives and takes one datagram at a time.
import { announce, chosenJob, counted, DATAGRAM_BYTES, targeted } from "./control.ts";

// The little of Deno's API that is used here; its types would come with the whole of it.
interface NetAddr {
  readonly transport: "udp";
  readonly hostname: string;
  readonly port: number;
}
interface DatagramConn {
  readonly addr: NetAddr;
  receive(buffer: Uint8Array): Promise<[Uint8Array, NetAddr]>;
  send(data: Uint8Array, to: NetAddr): Promise<number>;
}
declare const Deno: { listenDatagram(options: NetAddr): DatagramConn };

const conn = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });

async function receive(): Promise<void> {
  const buffer = new Uint8Array(2048);
  for (;;) {
    const [data, { port }] = await conn.receive(buffer);
    if (port === 0) throw new Error("a datagram from nowhere");
    counted.datagrams++;
    counted.bytes += data.length;
  }
}

async function send(): Promise<void> {
  const payload = new Uint8Array(DATAGRAM_BYTES).fill(100);
  const to: NetAddr = { transport: "udp", hostname: "127.0.0.1", port: await targeted };
  for (;;) {
    counted.bytes += await conn.send(payload, to);
    counted.datagrams++;
  }
}

const jobs = { "udp-receive": receive, "udp-send": send };
void jobs[chosenJob(["udp-receive", "udp-send"])]();
announce(conn.addr.port);
