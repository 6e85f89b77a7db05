// `berkeley push FILE`: the command line. The service itself, push-server.ts has; it is loaded when it is asked for.

import type { Command } from "commander";
import type { PushOptions } from "./push-server.ts";
import { parseCount } from "./serving.ts";
import { addTlsOptions } from "./tls-options.ts";

/** Beside `berkeley serve`. */
const PUSH_URL_DEFAULT = "tcp://127.0.0.1:8001";
const LINES_DEFAULT = 1000;

const HELP = `
The file may grow, be truncated, or be replaced by another one (rotation). What is there already is read from its last MiB.
Examples:
  berkeley push /var/log/syslog
  journalctl --follow | berkeley push -
  berkeley push --listen tls://:8443 --cert web.pem --name logs.example.org app.log`;

/** Adds the subcommand to the program. */
export function addPush(program: Command): void {
  const collect = (name: string, names: readonly string[]): readonly string[] => [...names, name];
  const command = program
    .command("push")
    .description("show a file in the browser as it grows, line by line, until Ctrl-C")
    .argument("<FILE>", "a log, or any other text; - is standard input")
    .option(
      "-l, --listen <URL>",
      "where: tcp://, tls:// or unix://; port 0 lets the system pick one",
      PUSH_URL_DEFAULT,
    )
    .option(
      "-n, --lines <number>",
      "who comes later begins with so many lines, as far as they fit into 256 KiB",
      parseCount("--lines"),
      LINES_DEFAULT,
    )
    .option(
      "--name <host>",
      "answer to this host name too, beside localhost, addresses and this machine's name",
      collect,
      [],
    )
    .addHelpText("after", HELP);
  addTlsOptions(command, { connects: false, listens: true }, "tls://").action(
    async (path: string, options: PushOptions) => {
      const { pushLines } = await import("./push-server.ts");
      await pushLines(path, options);
    },
  );
}
