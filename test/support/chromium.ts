// Chromium, driven through playwright-core, headless, with a profile that goes with it. It knows how to start it and how to ask
// a page, not what.

import { createRequire } from "node:module";
import { requirePeer } from "./peers.ts";
import type { Peer } from "./peers.ts";

/** The browser, and why tests that need it do not run. */
export const CHROMIUM: Peer = requirePeer("chromium");

/** One page. Scripts are text: they run there, not here. */
export interface Page {
  goto(url: string): Promise<unknown>;
  /** The value of an expression, when its promise has settled; what JSON can say. */
  evaluate(script: string): Promise<unknown>;
  click(selector: string): Promise<void>;
  textContent(selector: string): Promise<string | null>;
  title(): Promise<string>;
  url(): string;
  close(): Promise<void>;
  on(event: "pageerror", listener: (error: Error) => void): void;
  on(event: "console", listener: (message: { type(): string; text(): string }) => void): void;
}

/** Longer than anything that a page is waited for. */
const UNTIL_MS_MAX = 60_000;

/**
 * Waits until an expression is true, also on a page whose policy allows no eval(), as waitForFunction() needs.
 *
 * @throws {Error} it is not after a minute.
 */
export async function until(page: Page, script: string): Promise<void> {
  const end = performance.now() + UNTIL_MS_MAX;
  while ((await page.evaluate(script)) !== true) {
    if (performance.now() > end) throw new Error(`never true: ${script}`);
    await page.evaluate("new Promise(requestAnimationFrame)");
  }
}

interface Browser {
  newPage(options?: { ignoreHTTPSErrors?: boolean }): Promise<Page>;
  close(): Promise<void>;
}

/** A running browser, with pages side by side. */
export interface Browsing extends AsyncDisposable {
  /** A page at this URL, which takes any certificate. What it throws that nobody catches fails `errors`. */
  open(url: string): Promise<Page>;
  /** What pages threw, or complained of. */
  readonly errors: string[];
}

// Its types are of the DOM, which nothing else here knows.
const require = createRequire(import.meta.url);
const { chromium } = require("playwright-core") as {
  chromium: { launch(options: object): Promise<Browser> };
};

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
];

/** Starts it. Signals are for the test's process alone. */
export async function startChromium(): Promise<Browsing> {
  const handles = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false };
  const browser = await chromium.launch({ executablePath: CHROMIUM.path, args: ARGUMENTS, ...handles });
  const errors: string[] = [];
  return {
    errors,
    async open(url) {
      const page = await browser.newPage({ ignoreHTTPSErrors: true });
      page.on("pageerror", (error) => errors.push(error.message));
      page.on("console", (message) => {
        if (message.type() === "error") errors.push(message.text());
      });
      await page.goto(url);
      return page;
    },
    [Symbol.asyncDispose]: () => browser.close(),
  };
}
