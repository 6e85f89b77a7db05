// The Deno peer: Deno.serve.
import { announce, chosenJob } from "./control.ts";
import { answer } from "./http-fetch.ts";

declare const Deno: {
  serve(
    options: { hostname: string; port: number; onListen(address: { port: number }): void },
    handler: (request: Request) => Promise<Response>,
  ): unknown;
};

chosenJob(["http"]);
Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: ({ port }) => announce(port) }, answer);
