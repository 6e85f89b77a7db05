// Deno's fetch.
import { announce, askOn, chosenJob } from "./control.ts";

chosenJob(["http-client-fetch"]);
announce(0);
await askOn(async (url) => await (await fetch(url)).text());
