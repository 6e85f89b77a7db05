// The Hono application on @hono/node-server, which is its own adapter to node:http and makes light Requests and Responses.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { inProject } from "../support/paths.ts";
import { announce, chosenJob } from "./control.ts";
import { type FetchApp, honoApp } from "./hono.ts";

type Serve = (
  options: { readonly fetch: FetchApp["fetch"]; readonly hostname: string; readonly port: number },
  listening: (address: { readonly port: number }) => void,
) => unknown;

chosenJob(["http-hono"]);
// A peer, and so installed apart from the project (npm run bench:peers).
const { resolve } = createRequire(inProject("bench/peers/package.json"));
const { serve } = (await import(pathToFileURL(resolve("@hono/node-server")).href)) as {
  readonly serve: Serve;
};
const { fetch } = await honoApp();
serve({ fetch, hostname: "127.0.0.1", port: 0 }, ({ port }) => announce(port));
