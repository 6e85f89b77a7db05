// Another user's process, which tries to take over, and to be taken over from. Run by hand-over.test.ts as root.

import { AF_UNIX, SOCK_SEQPACKET, recv_fds, socket } from "berkeley";
import type { SocketError } from "berkeley";
import { takeOver } from "berkeley/server";

const NOBODY = 65_534;
const path = Buffer.from(process.argv[2] ?? "", "hex");

// A socket that listens as nobody, before and after this process is nobody: its credentials are those of listen(2).
process.setegid?.(NOBODY);
process.seteuid?.(NOBODY);
using peer = socket(AF_UNIX, SOCK_SEQPACKET);
await peer.connect(path);
const [message, descriptors] = await recv_fds(peer, 1000, 10);
console.log(`received ${message.length} bytes, ${descriptors.length} descriptors`);

const own = Buffer.from(`${path.toString("latin1")}-of-nobody`, "latin1");
using control = socket(AF_UNIX, SOCK_SEQPACKET);
control.bind(own);
control.listen();
process.seteuid?.(0);
process.seteuid?.(1); // a third user
await takeOver(own).catch((error: unknown) => console.log(`takeOver ${(error as SocketError).code}`));
process.seteuid?.(0); // as whom it may be looked into when it ends
