// The Bun peer: Bun.serve.
import { announce, chosenJob } from "./control.ts";
import { honoApp } from "./hono.ts";
import { answer } from "./http-fetch.ts";

declare const Bun: {
  serve(options: { hostname: string; port: number; fetch(request: Request): Response | Promise<Response> }): {
    port: number;
  };
};

const job = chosenJob(["http", "http-hono"]);
const fetch = job === "http" ? answer : (await honoApp()).fetch;
announce(Bun.serve({ hostname: "127.0.0.1", port: 0, fetch }).port);
