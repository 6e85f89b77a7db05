// Binds a port below 1024 without the right to. Run by address.test.ts; root gives its rights away first.

import { socket } from "berkeley";

using end = socket();
if (process.getuid?.() === 0) process.setuid?.(65_534);
try {
  end.bind(["127.0.0.1", 81]);
  console.log("bound");
} catch (error) {
  console.log((error as Error).message);
}
