// NATS: its server on a port of its own, and its official client. It knows how to have them, not what is said.

import { createRequire } from "node:module";
import type { NatsConnectionLike } from "berkeley/websocket";
import { requirePeer } from "./peers.ts";
import type { Peer } from "./peers.ts";

/** The server, and why tests that need it do not run. */
export const NATS: Peer = requirePeer("nats-server");

/** What tests need of a NatsConnection. */
export interface NatsConnection extends NatsConnectionLike {
  close(): Promise<void>;
}

// Its types are wrong where optional properties are exact.
const require = createRequire(import.meta.url);
const client = require("@nats-io/transport-node") as {
  connect(options: object): Promise<NatsConnection>;
};

/** Connects, and again and again when the connection is lost. */
export function connectNats(port: string): Promise<NatsConnection> {
  return client.connect({
    servers: `127.0.0.1:${port}`,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 20,
    reconnectJitter: 0,
  });
}
