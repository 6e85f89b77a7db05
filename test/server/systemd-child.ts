// A service of systemd's. Run by systemd.test.ts, and by systemd-socket-activate's like: with descriptors from 3 on.
//
//   systemd-child listeners | sockets | none

import { listenersFromSystemd, sdNotify, serve, socketsFromSystemd } from "berkeley/server";
import { echo } from "./support.ts";

const mine = (): string[] => Object.keys(process.env).filter((name) => name.startsWith("LISTEN_"));

if (process.argv[2] === "sockets") {
  const all = socketsFromSystemd();
  console.log(JSON.stringify(all.map(({ name, socket }) => [name, socket.type, socket.get_inheritable()])));
  for (const { socket } of all) socket.close();
  console.log(`again ${socketsFromSystemd().length}, left ${mine().length}`);
} else {
  try {
    const [first] = listenersFromSystemd();
    if (first === undefined) console.log("none");
    else {
      const server = serve(first.listener, echo);
      console.log(`serving ${first.name}`);
      console.log(`told ${await sdNotify({ READY: 1, STATUS: "serving ünder way" })}`);
      process.stdin.resume().on("end", () => void server.shutdown());
      await server.finished;
    }
  } catch (error) {
    const { name, code, message } = error as Error & { code: string };
    console.log(`${name} ${code} ${message}`);
  }
}
