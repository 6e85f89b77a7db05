// Berkeley's client of HTTP: request() ("http-client"), and fetch ("http-client-fetch").
import { HttpClient } from "berkeley/http";
import { announce, askOn, chosenJob, UNDER_WAY } from "./control.ts";

const client = new HttpClient({ connectionsMax: UNDER_WAY });
const ways = {
  "http-client": async (url: string) => await (await client.request(url)).text(),
  "http-client-fetch": async (url: string) => await (await client.fetch(url)).text(),
};
const ask = ways[chosenJob(["http-client", "http-client-fetch"])];
announce(0);
await askOn(ask);
