// The package ws gives a message in one of several shapes.

import type { RawData } from "ws";

/** All of its bytes. */
export function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}
