// nginx in a folder and on Unix sockets of its own, in one process, ended by its pid. It knows how to start one, not what
// for.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { requirePeer } from "./peers.ts";
import { start } from "./process.ts";
import type { Child } from "./process.ts";

/** nginx, if it is there. */
export const NGINX = requirePeer("nginx");

/** A running nginx. */
export interface Nginx extends AsyncDisposable {
  /** The Unix socket at which it listens. */
  readonly front: string;
  /** The Unix socket to which `proxy_pass http://unix:…` leads, if the configuration says so: listen there. */
  readonly back: string;
  readonly child: Child;
}

/** Makes the folder and the names of both sockets, for who listens at `back` before nginx is started. */
export function nginxFolder(): { readonly folder: string; readonly front: string; readonly back: string } {
  const folder = mkdtempSync(join(tmpdir(), "berkeley-nginx-"));
  return { folder, front: join(folder, "front"), back: join(folder, "back") };
}

/**
 * Starts nginx with one server.
 *
 * @param server  what stands in `server { … }` besides `listen`; `BACK` becomes the path of the back socket.
 * @param beside  what stands beside it; likewise.
 */
export async function startNginx(
  server: string,
  made: ReturnType<typeof nginxFolder>,
  beside: string = "",
): Promise<Nginx> {
  const { folder, front, back } = made;
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join(" ");
  const text = `${beside} server { listen unix:${front}; ${server} }`.replaceAll("BACK", back);
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off; master_process off; pid ${folder}/pid; error_log stderr crit; events { worker_connections 256; }
     http { access_log off; ${temporary} ${text} }`,
  );
  const child = start(NGINX.path, ["-p", folder, "-e", "stderr", "-c", join(folder, "nginx.conf")]);
  let failure: Error | undefined;
  void child.exited.then((exit) => (failure = new Error(`nginx: ${exit.stderr.toString()}`)));
  while (!(await answers(front))) {
    if (failure !== undefined) throw failure;
    await pause(5);
  }
  return {
    front,
    back,
    child,
    async [Symbol.asyncDispose]() {
      await child[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
