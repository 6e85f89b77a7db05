// What ties a login to a connection: the two bindings that are in use. It asks a TLSSocket after its handshake, and judges
// nothing.

import type { TLSSocket } from "node:tls";
import { invalidArgument } from "../socket/errors.ts";
import { endPointBinding } from "./signature-hash.ts";

/** What ties a login to this very connection: RFC 9266, RFC 5929. */
export type ChannelBinding = "tls-exporter" | "tls-server-end-point";

/** RFC 9266 section 2. */
const EXPORTER_LABEL = "EXPORTER-Channel-Binding";
const EXPORTER_BYTES = 32;

/** @throws {TypeError} ERR_INVALID_ARG_TYPE: there is no such binding. */
export function checkBinding(type: ChannelBinding): void {
  if (type !== "tls-exporter" && type !== "tls-server-end-point")
    throw invalidArgument("type", '"tls-exporter" or "tls-server-end-point"', type);
}

// With TLS 1.2 an exporter binds only where the extended master secret was used (RFC 9266 section 4.2), and Node does not tell.
/**
 * The binding, or why there is none.
 *
 * @param certificate  the server's, DER.
 */
export function bindingOf(
  type: ChannelBinding,
  socket: TLSSocket,
  certificate: Buffer | undefined,
): Buffer | string {
  if (type === "tls-server-end-point") {
    const binding = certificate === undefined ? undefined : endPointBinding(certificate);
    return binding ?? "the server's certificate has no tls-server-end-point";
  }
  const protocol = socket.getProtocol();
  if (protocol !== "TLSv1.3") return `${protocol} has no tls-exporter here`;
  return socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0));
}
