// The Bun peer over UDP: Bun.udpSocket, Bun's own API, whose sockets give data to a handler, and send one or many.
import { announce, chosenJob, counted, DATAGRAM_BYTES, DATAGRAMS_AT_A_TIME, targeted } from "./control.ts";

// The little of Bun's API that is used here; its types would come with the whole of it.
interface UdpSocket {
  readonly port: number;
  send(data: Uint8Array): boolean;
  sendMany(data: readonly Uint8Array[]): number;
}
interface UdpOptions {
  hostname: string;
  port: number;
  connect?: { hostname: string; port: number };
  socket: { data?(socket: UdpSocket, data: Uint8Array, port: number): void };
}
declare const Bun: { udpSocket(options: UdpOptions): Promise<UdpSocket> };

function see(_socket: UdpSocket, data: Uint8Array, port: number): void {
  if (port === 0) throw new Error("a datagram from nowhere");
  counted.datagrams++;
  counted.bytes += data.length;
}

const payload = new Uint8Array(DATAGRAM_BYTES).fill(100);
const many = Array.from({ length: DATAGRAMS_AT_A_TIME }, () => payload);

/** Connected, and with a pause after as many as sendMany takes: nothing else would run otherwise. */
async function send(how: (socket: UdpSocket) => number): Promise<void> {
  const connect = { hostname: "127.0.0.1", port: await targeted };
  const socket = await Bun.udpSocket({ hostname: "127.0.0.1", port: 0, connect, socket: {} });
  const more = (): void => {
    const sent = how(socket);
    counted.datagrams += sent;
    counted.bytes += sent * payload.length;
    setImmediate(more);
  };
  more();
}

const jobs = {
  "udp-receive": (): void => undefined,
  "udp-send": (): Promise<void> =>
    send((socket) => {
      let sent = 0;
      for (let i = 0; i < DATAGRAMS_AT_A_TIME; i++) if (socket.send(payload)) sent++;
      return sent;
    }),
  "udp-send-batch": (): Promise<void> => send((socket) => socket.sendMany(many)),
};
const job = jobs[chosenJob(["udp-receive", "udp-send", "udp-send-batch"])];

const receiver = await Bun.udpSocket({ hostname: "127.0.0.1", port: 0, socket: { data: see } });
void job();
announce(receiver.port);
