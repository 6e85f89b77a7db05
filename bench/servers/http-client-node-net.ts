// What there is in Node: undici ("http-client"), node:http with an agent that keeps connections ("http-client-agent"), and
// its own fetch ("http-client-fetch").
import { Agent as HttpAgent, get } from "node:http";
import { Agent, request } from "undici";
import { announce, askOn, chosenJob, UNDER_WAY } from "./control.ts";

const dispatcher = new Agent({ connections: UNDER_WAY, pipelining: 1 });
const agent = new HttpAgent({ keepAlive: true, maxSockets: UNDER_WAY });

function askAgent(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      let content = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => (content += text));
      response.on("end", () => resolve(content));
      response.on("error", reject);
    }).on("error", reject);
  });
}

const ways = {
  "http-client": async (url: string) => await (await request(url, { dispatcher })).body.text(),
  "http-client-agent": askAgent,
  "http-client-fetch": async (url: string) => await (await fetch(url)).text(),
};
const ask = ways[chosenJob(["http-client", "http-client-agent", "http-client-fetch"])];
announce(0);
await askOn(ask);
