// ICMP echo by hand over a raw socket: what ping(8) does. Needs CAP_NET_RAW.
// node ping.js [HOST [COUNT]]
import { randomBytes } from "node:crypto";
import { AF_INET, ICMP_ECHO, ICMP_ECHOREPLY, IPPROTO_ICMP, SOCK_RAW, socket } from "berkeley";
import { internetChecksum } from "berkeley/packet";

const host = process.argv[2] ?? "127.0.0.1";
const count = Number(process.argv[3] ?? 3);
const id = process.pid & 0xffff;
const payload = randomBytes(56);

/** RFC 792: type, code, checksum, identifier, sequence number; then data that comes back. */
function echoRequest(sequence: number): Buffer {
  const message = Buffer.concat([Buffer.alloc(8), payload]);
  message.writeUInt8(ICMP_ECHO, 0);
  message.writeUInt16BE(id, 4);
  message.writeUInt16BE(sequence, 6);
  message.writeUInt16BE(internetChecksum(message), 2);
  return message;
}

/** The message in an IPv4 packet, if it is the answer to ours: a raw socket sees everybody's. */
function isOurs(packet: Buffer, sequence: number): boolean {
  const message = packet.subarray(((packet[0] ?? 0) & 15) * 4);
  return (
    message.length >= 8 &&
    message.readUInt8(0) === ICMP_ECHOREPLY &&
    message.readUInt16BE(4) === id &&
    message.readUInt16BE(6) === sequence &&
    message.subarray(8).equals(payload)
  );
}

using sock = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
let answers = 0;
for (let sequence = 1; sequence <= count; sequence++) {
  const signal = AbortSignal.timeout(1000);
  const begin = performance.now();
  try {
    await sock.sendto(echoRequest(sequence), [host, 0], { signal });
    let [packet, address] = await sock.recvfrom(65_535, 0, { signal });
    while (!isOurs(packet, sequence)) [packet, address] = await sock.recvfrom(65_535, 0, { signal });
    const ms = (performance.now() - begin).toFixed(3);
    console.log(
      `${payload.length + 8} bytes from ${address[0]}: icmp_seq=${sequence} ttl=${packet[8]} time=${ms} ms`,
    );
    answers++;
  } catch (error) {
    if (!signal.aborted) throw error;
    console.log(`no answer to icmp_seq=${sequence}`);
  }
}
process.exitCode = answers === 0 ? 1 : 0;
