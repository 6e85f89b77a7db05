// Calls that block their thread: what ends them, and what does not.

import { fileURLToPath } from "node:url";
import { checkBlocked, checkInterrupted } from "../support/blocked.ts";

const program = fileURLToPath(new URL("blocked-child.js", import.meta.url));

checkBlocked(program, [
  "accept()",
  "for of a listener",
  "recv()",
  "recv_into()",
  "recvfrom()",
  "recvmsg()",
  "sendall()",
  "connect()",
  "makefile().readline()",
]);
checkInterrupted(
  program,
  ["recv()", "accept()", "sendall()", "connect()"].map((call) => `${call} within 0.3 s`),
  0.3,
);
