// Exchange: which side may say what, as a whole table, and what follows when both are done.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Exchange } from "berkeley/http";
import type { Prospects, Step } from "berkeley/http";

const LIVES: Prospects = { keepAlive: true, upgrade: false };
const DIES: Prospects = { keepAlive: false, upgrade: false };
const SWITCHES: Prospects = { keepAlive: true, upgrade: true };
const STEPS: readonly Step[] = ["informational", "head", "data", "end"];

/** An exchange with the requester and the responder brought to a state. */
const made: Readonly<Record<string, () => Exchange>> = {
  "idle/idle": () => new Exchange(),
  "body/idle": () => after([["request", "head"]]),
  "done/idle": () =>
    after([
      ["request", "head"],
      ["request", "end"],
    ]),
  "body/body": () =>
    after([
      ["request", "head"],
      ["respond", "head"],
    ]),
  "body/done": () =>
    after([
      ["request", "head"],
      ["respond", "head"],
      ["respond", "end"],
    ]),
  "done/body": () =>
    after([
      ["request", "head"],
      ["request", "end"],
      ["respond", "head"],
    ]),
  "closed/closed": () => {
    const exchange = new Exchange();
    exchange.close();
    return exchange;
  },
};

function after(
  steps: readonly (readonly ["request" | "respond", Step])[],
  prospects: Prospects = LIVES,
): Exchange {
  const exchange = new Exchange();
  for (const [side, step] of steps)
    assert.ok(exchange[side](step, step === "head" ? prospects : undefined), `${side} ${step}`);
  return exchange;
}

const states = ({ requester, responder }: Exchange): string => `${requester}/${responder}`;

const allowed: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "idle/idle": { "request head": "body/idle" },
  "body/idle": {
    "request data": "body/idle",
    "request end": "done/idle",
    "respond informational": "body/idle",
    "respond head": "body/body",
  },
  "done/idle": { "respond informational": "done/idle", "respond head": "done/body" },
  "body/body": {
    "request data": "body/body",
    "request end": "done/body",
    "respond data": "body/body",
    "respond end": "body/done",
  },
  "body/done": { "request data": "body/done", "request end": "idle/idle" },
  "done/body": { "respond data": "done/body", "respond end": "idle/idle" },
  "closed/closed": {},
};

for (const [state, make] of Object.entries(made))
  test(`Exchange in ${state} allows what its table has, and refuses the rest without a change`, () => {
    assert.equal(states(make()), state);
    for (const side of ["request", "respond"] as const)
      for (const step of STEPS) {
        const exchange = make();
        const expected = allowed[state]?.[`${side} ${step}`];
        assert.equal(exchange[side](step, step === "head" ? LIVES : undefined), expected !== undefined);
        assert.equal(states(exchange), expected ?? state, `${side} ${step}`);
      }
  });

for (const [who, request, response] of [
  ["the requester", DIES, LIVES],
  ["the responder", LIVES, DIES],
] as const)
  test(`Exchange is closed when both are done and ${who} has said that it was the last`, () => {
    const exchange = new Exchange();
    exchange.request("head", request);
    exchange.request("end");
    exchange.respond("head", response);
    assert.equal(exchange.keepAlive, false);
    exchange.respond("end");
    assert.equal(states(exchange), "closed/closed");
  });

test("Exchange switches when the responder accepts what was offered, and goes on with HTTP when it does not", () => {
  const exchange = new Exchange();
  exchange.request("head", LIVES);
  assert.equal(exchange.respond("head", SWITCHES), false);
  assert.equal(states(exchange), "body/idle");
  exchange.request("end");
  exchange.respond("head", LIVES);
  exchange.respond("end");

  exchange.request("head", SWITCHES);
  exchange.request("end");
  exchange.respond("head", LIVES);
  exchange.respond("end");
  assert.equal(states(exchange), "idle/idle");

  exchange.request("head", SWITCHES);
  exchange.respond("head", SWITCHES);
  exchange.respond("end");
  assert.equal(states(exchange), "body/done");
  exchange.request("end");
  assert.equal(states(exchange), "switched/switched");
  assert.equal(exchange.request("head", LIVES), false);
});
