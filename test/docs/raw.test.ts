// The pieces of docs/raw.md, run as they stand.

import { networkInterfaces } from "node:os";
import { AF_ALG, SOCK_SEQPACKET, socket } from "berkeley";
import { testPieces } from "./pieces.ts";

const root = process.getuid?.() === 0 ? false : "needs root, for raw and packet sockets";

function lackingAlg(): string | false {
  try {
    socket(AF_ALG, SOCK_SEQPACKET).close();
    return false;
  } catch (error) {
    return (error as Error).message;
  }
}

testPieces("raw.md", {
  "A protocol of one's own over IP": [root, /^127\.0\.0\.1 253 hello\n$/],
  "Packets of an interface": [
    root,
    /^lo 2048 IP 127\.0\.0\.1\.\d+ > 127\.0\.0\.1\.50999: UDP, length 1\n0\n$/,
  ],
  Netlink: [false, new RegExp(`^(?:.*\n)*${Object.keys(networkInterfaces())[0] ?? "lo"}\n(?:.*\n)*$`)],
  "The kernel's cryptography": [
    lackingAlg(),
    /^ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n$/,
  ],
});
