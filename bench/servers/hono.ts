// The Hono application of the bench, unmodified on whatever serves it. It knows Hono only when it is asked for.
import { HELLO } from "./control.ts";

/** A function from Request to Response. */
export interface FetchApp {
  readonly fetch: (this: void, request: Request) => Response | Promise<Response>;
}

/** What is used of Hono; the bench is compiled without its peers. */
interface Context {
  readonly req: { json(): Promise<unknown> };
  text(text: string): Response;
  json(value: unknown): Response;
}
interface App extends FetchApp {
  get(path: string, handler: (context: Context) => Response | Promise<Response>): void;
  post(path: string, handler: (context: Context) => Response | Promise<Response>): void;
}

/** "hello" at /, JSON back at POST /json. */
export async function honoApp(): Promise<FetchApp> {
  const name = "hono";
  const { Hono } = (await import(name)) as { readonly Hono: new () => App };
  const app = new Hono();
  app.get("/", (context) => context.text(HELLO));
  app.post("/json", async (context) => context.json(await context.req.json()));
  return app;
}
