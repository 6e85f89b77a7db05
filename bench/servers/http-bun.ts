// The Bun peer: Bun.serve.
import { announce, chosenJob } from "./control.ts";
import { answer } from "./http-fetch.ts";

declare const Bun: {
  serve(options: { hostname: string; port: number; fetch(request: Request): Promise<Response> }): {
    port: number;
  };
};

chosenJob(["http"]);
announce(Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: answer }).port);
