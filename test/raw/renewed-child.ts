// Sends a frame by an interface, has that taken away and made anew under its name, and sends another; for packet.test.ts,
// in a network namespace.

import { execFileSync } from "node:child_process";
import * as b from "berkeley";

const [, , ip = "ip"] = process.argv;
const frame = Buffer.alloc(64);
using sock = b.socket(b.AF_PACKET, b.SOCK_RAW, 0);
const before = b.if_nametoindex("v0");
await sock.sendto(frame, ["v0", 0x88b5]);
execFileSync(ip, ["link", "del", "v0"]);
execFileSync(ip, ["link", "add", "v0", "type", "veth", "peer", "name", "v1"]);
for (const name of ["v0", "v1"]) execFileSync(ip, ["link", "set", name, "up"]);
console.log(b.if_nametoindex("v0") === before ? "the same" : "another");
console.log(await sock.sendto(frame, ["v0", 0x88b5]));
