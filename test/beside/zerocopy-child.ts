// Sends two datagrams without a copy to a host that nobody is, and prints what became of their memory.

import { AF_INET, SOCK_DGRAM, socket } from "berkeley";

using sock = socket(AF_INET, SOCK_DGRAM);
await sock.connect([process.argv[2] as string, 9]);
const memory = Buffer.alloc(1400, 1);
const reports = [await sock.send_zerocopy(memory), await sock.send_zerocopy(memory)];
console.log(JSON.stringify(reports));
