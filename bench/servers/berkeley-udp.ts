// Berkeley over UDP, as its user writes it: a loop that awaits one datagram, or a batch of them. Who receives looks at each
// datagram's bytes and sender, as a program does.
import { AF_INET, ReceiveBatch, SOCK_DGRAM, SendBatch, socket } from "berkeley";
import type { Address, Socket } from "berkeley";
import {
  announce,
  chosenJob,
  counted,
  DATAGRAM_BYTES,
  DATAGRAMS_AT_A_TIME,
  QUEUE_BYTES,
  targeted,
} from "./control.ts";

const BUFFER_BYTES = 2048;

function see(bytes: number, [, port]: Address): void {
  if (port === 0) throw new Error("a datagram from nowhere");
  counted.datagrams++;
  counted.bytes += bytes;
}

/** recvfrom(): each datagram in memory of its own. */
async function receive(sock: Socket): Promise<never> {
  for (;;) {
    const [data, address] = await sock.recvfrom(BUFFER_BYTES);
    see(data.length, address);
  }
}

/** recvfrom_into(): every datagram in the same buffer. */
async function receiveInto(sock: Socket): Promise<never> {
  const buffer = Buffer.alloc(BUFFER_BYTES);
  for (;;) {
    const [bytes, address] = await sock.recvfrom_into(buffer);
    see(bytes, address);
  }
}

/** recvmmsg(): as many as are there. */
async function receiveMany(sock: Socket, gro: boolean): Promise<never> {
  const batch = new ReceiveBatch({ gro });
  for (;;) {
    const count = await sock.recvmmsg(batch);
    for (let i = 0; i < count; i++) see(batch.data(i).length, batch.address(i));
  }
}

const payload = Buffer.alloc(DATAGRAM_BYTES, "datagram");

async function send(sock: Socket): Promise<never> {
  await sock.connect(["127.0.0.1", await targeted]);
  for (;;) {
    counted.bytes += await sock.send(payload);
    counted.datagrams++;
  }
}

/** sendmmsg(): each datagram is added by itself, as they come in a program. */
async function sendMany(sock: Socket, gso: boolean): Promise<never> {
  await sock.connect(["127.0.0.1", await targeted]);
  const batch = new SendBatch({ gso });
  for (;;) {
    for (let i = 0; i < DATAGRAMS_AT_A_TIME; i++) batch.add(payload);
    const sent = await sock.sendmmsg(batch);
    counted.datagrams += sent;
    counted.bytes += sent * payload.length;
  }
}

const jobs = {
  "udp-receive": receive,
  "udp-receive-into": receiveInto,
  "udp-receive-batch": (sock: Socket) => receiveMany(sock, false),
  "udp-receive-gro": (sock: Socket) => receiveMany(sock, true),
  "udp-send": send,
  "udp-send-batch": (sock: Socket) => sendMany(sock, false),
  "udp-send-gso": (sock: Socket) => sendMany(sock, true),
};
const job = jobs[chosenJob(Object.keys(jobs) as (keyof typeof jobs)[])];

const sock = socket(AF_INET, SOCK_DGRAM);
sock.bind(["127.0.0.1", 0]);
sock.options.SO_RCVBUF = QUEUE_BYTES;
announce(sock.getsockname()[1]);
await job(sock);
