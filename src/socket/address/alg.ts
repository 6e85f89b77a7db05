// AF_ALG: struct sockaddr_alg. Source: the kernel's Documentation/crypto/userspace-if.rst.

import { AF_ALG } from "../../constants/families.ts";
import { invalidArgument, outOfRange } from "../errors.ts";
import { checkNumber, checkText, checkTuple } from "./check.ts";
import type { AlgAddress } from "./types.ts";
import { readU32, writeFamily, writeU32 } from "./view.ts";

const LENGTH = 88;
const TYPE = 2;
const TYPE_BYTES = 14;
const NAME = 24;
const NAME_BYTES = 64;

function textAt(view: Uint8Array, at: number, size: number): string {
  const bytes = Buffer.from(view.buffer, view.byteOffset + at, size);
  const end = bytes.indexOf(0);
  return bytes.toString("utf8", 0, end === -1 ? size : end);
}

/** The address in a view. */
export function decodeAlg(view: Uint8Array): AlgAddress {
  return [
    textAt(view, TYPE, TYPE_BYTES),
    textAt(view, NAME, NAME_BYTES),
    readU32(view, 16),
    readU32(view, 20),
  ];
}

/** A text that fits with the NUL that ends it. */
function checkField(name: string, value: unknown, size: number): Buffer {
  const text = checkText(name, value);
  if (text.includes("\0")) throw invalidArgument(name, "a string without NUL characters", value);
  const bytes = Buffer.from(text);
  if (bytes.length >= size) throw outOfRange(name, `at most ${size - 1} bytes long`, bytes.length);
  return bytes;
}

/** Writes an address into a view; its length in bytes. */
export function encodeAlg(address: unknown, view: Uint8Array): number {
  const fields = checkTuple(address, "[type, name, feat?, mask?]", 2, 4);
  const type = checkField("type", fields[0], TYPE_BYTES);
  const name = checkField("name", fields[1], NAME_BYTES);
  const feat = checkNumber("feat", fields[2] ?? 0, 0, 0xffff_ffff);
  const mask = checkNumber("mask", fields[3] ?? 0, 0, 0xffff_ffff);
  writeFamily(view, AF_ALG, LENGTH);
  view.set(type, TYPE);
  writeU32(view, 16, feat);
  writeU32(view, 20, mask);
  view.set(name, NAME);
  return LENGTH;
}
