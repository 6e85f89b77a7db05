// The node:dgram peer: what a Node programmer writes, with message events, and sends whose callbacks are waited for.
import { createSocket } from "node:dgram";
import {
  announce,
  chosenJob,
  counted,
  DATAGRAM_BYTES,
  DATAGRAMS_AT_A_TIME,
  QUEUE_BYTES,
  targeted,
} from "./control.ts";

const socket = createSocket({ type: "udp4", recvBufferSize: QUEUE_BYTES });

function receive(): void {
  socket.on("message", (data, { port }) => {
    if (port === 0) throw new Error("a datagram from nowhere");
    counted.datagrams++;
    counted.bytes += data.length;
  });
}

// Connected, as everybody here whose API lets it. Callbacks come before the loop turns, so without the pause nothing else
// of the program would run any more.
function send(): void {
  const payload = Buffer.alloc(DATAGRAM_BYTES, "datagram");
  let left = 0;
  const sent = (error: Error | null, bytes: number): void => {
    if (error !== null) throw error;
    counted.datagrams++;
    counted.bytes += bytes;
    if (--left === 0) setImmediate(more);
  };
  const more = (): void => {
    left = DATAGRAMS_AT_A_TIME;
    for (let i = 0; i < DATAGRAMS_AT_A_TIME; i++) socket.send(payload, sent);
  };
  void targeted.then((port) => socket.connect(port, "127.0.0.1", more));
}

const jobs = { "udp-receive": receive, "udp-send": send };
const job = jobs[chosenJob(["udp-receive", "udp-send"])];

socket.bind(0, "127.0.0.1", () => {
  job();
  announce(socket.address().port);
});
