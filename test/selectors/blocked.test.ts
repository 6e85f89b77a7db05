// select() that blocks its thread: what ends it.

import { fileURLToPath } from "node:url";
import { checkBlocked, checkInterrupted } from "../support/blocked.ts";

const program = fileURLToPath(new URL("blocked-child.js", import.meta.url));
const selectors = ["EpollSelector", "PollSelector", "SelectSelector"];

checkBlocked(program, [
  ...selectors.map((name) => `${name}.select()`),
  "EpollSelector.select() without registrations",
]);
checkInterrupted(
  program,
  selectors.map((name) => `${name}.select(0.3)`),
  0.3,
);
