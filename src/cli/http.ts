// `berkeley http URL`: the command line. The request itself, http-run.ts makes; it is loaded when it is asked for.

import type { Command } from "commander";
import type { HttpOptions } from "./http-run.ts";
import { parseSeconds } from "./seconds.ts";
import { addTlsOptions } from "./tls-options.ts";

const HELP = `
Examples:
  berkeley http http://127.0.0.1:8000/
  berkeley http -i -d '{"name": "hammer"}' -H 'Content-Type: application/json' http://127.0.0.1:8000/items
  berkeley http -X PUT -d @photo.jpg http://127.0.0.1:8000/photo.jpg
  berkeley http -o large.iso --resume http://127.0.0.1:8000/large.iso
Any answer is a success, unless --fail says otherwise.`;

/** Adds the subcommand to the program. */
export function addHttp(program: Command): void {
  const collect = (line: string, lines: readonly string[]): readonly string[] => [...lines, line];
  const command = program
    .command("http")
    .description("send one request, and write the content of the answer to standard output")
    .argument("<URL>", "http://HOST[:PORT]/PATH or https://…; without a scheme, http://")
    .option("-X, --request <method>", "the method (default: GET; with --data POST)")
    .option("-H, --header <line>", "a header, 'Name: value'; as often as needed", collect, [])
    .option("-d, --data <data>", "what to send; @FILE is a file's content, @- that of standard input")
    .option("-i, --include", "write the head of the answer before its content", false)
    .option("-I, --head", "ask for the head alone, and write it", false)
    .option("-o, --output <file>", "write the content into a file")
    .option("-C, --resume", "with --output: go on where the file ends", false)
    .option("--progress", "show how far it is (default: on a terminal, when it takes longer than a second)")
    .option("--no-progress", "do not")
    .option("-L, --location", "follow redirections, 20 at most", false)
    .option("--compressed", "ask for a compressed content, and decompress it", false)
    .option("-f, --fail", "status 400 and above is a failure (exit status 1)", false)
    .option("-x, --proxy <URL>", "through a proxy: http://HOST:PORT or socks5://HOST:PORT")
    .option("--unix-socket <path>", "over a Unix socket")
    .option("-w, --timeout <seconds>", "give up after so long", parseSeconds("--timeout"))
    .addHelpText("after", HELP);
  addTlsOptions(command, { connects: true, listens: false }, "https://").action(
    async (url: string, options: HttpOptions) => {
      const { runHttp } = await import("./http-run.ts");
      await runHttp(url, options);
    },
  );
}
