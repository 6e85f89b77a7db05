// The page of `berkeley push`: three texts that are the same for everybody. What is pushed comes by WebSocket and is put in
// as text, never as HTML; the policy allows no script and no style but these.

import { HttpFields } from "../http/index.ts";

/** One thing that is served. */
export interface PageFile {
  readonly fields: HttpFields;
  readonly body: string;
}

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src data:", // the icon: an empty one, so that none is asked for
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

function file(type: string, body: string): PageFile {
  const fields = HttpFields.from({
    "Content-Type": `${type}; charset=utf-8`,
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
  });
  return { fields, body };
}

const HTML = `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>berkeley push</title>
<link rel="stylesheet" href="push.css">
<link rel="icon" href="data:,">
<header><h1 id="name"></h1><span id="state">connecting</span></header>
<main id="lines"></main>
<script src="push.js"></script>
`;

const CSS = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; }
header { position: sticky; top: 0; display: flex; gap: 1em; align-items: baseline; padding: .3em 1em;
  background: Canvas; border-bottom: 1px solid GrayText; }
h1 { margin: 0; font-size: 1em; overflow-wrap: anywhere; }
#state { color: GrayText; }
main { padding: .5em 1em; font: .85em/1.45 ui-monospace, monospace; }
main div { white-space: pre-wrap; overflow-wrap: anywhere; min-height: 1.45em; }
main div.note { color: GrayText; font-style: italic; }
`;

/** What the page keeps; what is older is taken out. */
const SHOWN_MAX = 5000;

const SCRIPT = `"use strict";
const SHOWN_MAX = ${SHOWN_MAX};
const lines = document.getElementById("lines");
const state = document.getElementById("state");
let run, next = 0, waitMs = 500;

function add(text, kind) {
  const line = document.createElement("div");
  line.textContent = text;
  if (kind) line.className = kind;
  lines.append(line);
}

function show(message) {
  const root = document.documentElement;
  const atEnd = root.scrollTop + root.clientHeight >= root.scrollHeight - 40;
  if (message.run !== undefined) {
    document.title = message.name;
    document.getElementById("name").textContent = message.name;
    if (run !== message.run) {
      lines.replaceChildren();
      next = message.first;
    }
    run = message.run;
  }
  if (message.note !== undefined) add(message.note, "note");
  if (message.first > next) add(message.first - next + " lines are missing", "note");
  for (const line of message.lines.slice(Math.max(0, next - message.first))) add(line);
  next = Math.max(next, message.first + message.lines.length);
  while (lines.childElementCount > SHOWN_MAX) lines.firstChild.remove();
  if (atEnd) root.scrollTop = root.scrollHeight;
}

function open() {
  const url = new URL("lines", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  const socket = new WebSocket(url);
  socket.onopen = () => (state.textContent = "following");
  socket.onmessage = ({ data }) => {
    waitMs = 500;
    show(JSON.parse(data));
  };
  socket.onclose = ({ code }) => {
    state.textContent = code === 1013 ? "too slow, connecting again" : "disconnected, connecting again";
    setTimeout(open, waitMs);
    waitMs = Math.min(waitMs * 2, 10000);
  };
}
open();
`;

/** What is served, by its path. */
export const PAGE: ReadonlyMap<string, PageFile> = new Map([
  ["/", file("text/html", HTML)],
  ["/push.css", file("text/css", CSS)],
  ["/push.js", file("text/javascript", SCRIPT)],
]);
