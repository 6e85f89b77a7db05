// `berkeley serve [DIR]`: the command line. The service itself, serve-folder.ts has; it is loaded when it is asked for.

import type { Command } from "commander";
import type { ServeOptions } from "./serve-folder.ts";
import { addTlsOptions } from "./tls-options.ts";

/** Where it listens unless it is told otherwise; port 8000 is what `python3 -m http.server` has. */
const SERVE_URL_DEFAULT = "tcp://127.0.0.1:8000";

const HELP = `
Names that begin with a dot, and links that lead out of the folder, are not served.
Examples:
  berkeley serve
  berkeley serve --list --listen tcp://:8080 /srv/files     # everybody who can reach this machine
  berkeley serve --listen tls://:8443 --cert site.pem /srv/files
  berkeley serve --listen unix:///run/files.sock /srv/files`;

/** Adds the subcommand to the program. */
export function addServe(program: Command): void {
  const command = program
    .command("serve")
    .description("serve the files of a folder over HTTP, and print each request, until Ctrl-C")
    .argument("[DIR]", "the folder", ".")
    .option(
      "-l, --listen <URL>",
      "where: tcp://, tls:// or unix://; port 0 lets the system pick one",
      SERVE_URL_DEFAULT,
    )
    .option("--list", "list the names in a folder that has no index.html", false)
    .option("--compress", "compress text for clients that take it", false)
    .option("-q, --quiet", "print no requests", false)
    .addHelpText("after", HELP);
  addTlsOptions(command, { connects: false, listens: true }, "tls://").action(
    async (folder: string, options: ServeOptions) => {
      const { serveFolder } = await import("./serve-folder.ts");
      await serveFolder(folder, options);
    },
  );
}
