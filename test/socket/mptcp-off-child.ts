// Prints what making a Multipath TCP socket fails with.

import { AF_INET, IPPROTO_MPTCP, SOCK_STREAM, socket } from "berkeley";

try {
  socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP).close();
  console.log("made");
} catch (error) {
  console.log((error as Error).message);
}
