// What a header of the PROXY protocol says, of either version. Types and numbers only.

import type { Inet6Address, InetAddress, UnixAddress } from "../../socket/address/types.ts";

/** An end of the connection that a proxy took. */
export type ProxiedAddress = InetAddress | Inet6Address | UnixAddress;

/** One extension of version 2, as it came. @see PROXY protocol section 2.2, pp2_tlv */
export interface ProxyExtension {
  /** PP2_TYPE_*; 0xE0 to 0xEF are the application's, 0xF0 to 0xF7 for experiments. */
  readonly type: number;
  readonly value: Buffer;
}

/** Which kinds of extensions have a meaning here. @see PROXY protocol section 2.2 */
export const EXTENSION = {
  ALPN: 0x01,
  AUTHORITY: 0x02,
  CRC32C: 0x03,
  NOOP: 0x04,
  UNIQUE_ID: 0x05,
  SSL: 0x20,
  SSL_VERSION: 0x21,
  SSL_CN: 0x22,
  SSL_CIPHER: 0x23,
  SSL_SIG_ALG: 0x24,
  SSL_KEY_ALG: 0x25,
  NETNS: 0x30,
} as const;

/** How the client spoke TLS with the proxy. @see PROXY protocol section 2.2.6 */
export interface ProxiedTls {
  /** It did, to the proxy's best knowledge. */
  readonly used: boolean;
  /** The client gave a certificate, on this connection or earlier in its session. */
  readonly certificate: boolean;
  /** A certificate was given, and it was verified. */
  readonly verified: boolean;
  /** "TLSv1.3". */
  readonly version?: string;
  /** The common name of the certificate's subject. */
  readonly commonName?: string;
  /** "ECDHE-RSA-AES128-GCM-SHA256". */
  readonly cipher?: string;
  readonly signatureAlgorithm?: string;
  readonly keyAlgorithm?: string;
}

/** A header. */
export interface ProxyHeader {
  readonly version: 1 | 2;
  /**
   * Whom the proxy took the connection from. Undefined: it does not say, or it speaks for itself, as a health check does;
   * the addresses of the connection are then the true ones.
   */
  readonly source: ProxiedAddress | undefined;
  /** Where the proxy took it. */
  readonly destination: ProxiedAddress | undefined;
  /** What the proxy took: connections, or datagrams. Undefined where source is. */
  readonly transport: "stream" | "datagram" | undefined;
  /** The proxy speaks for itself: LOCAL. */
  readonly local: boolean;
  /** The host that the client asked for (SNI). */
  readonly authority?: string;
  /** The application protocol that the client and the proxy agreed on. */
  readonly alpn?: Buffer;
  /** A name of this connection, for logs. At most 128 bytes. */
  readonly uniqueId?: Buffer;
  /** The proxy's network namespace. */
  readonly networkNamespace?: string;
  readonly tls?: ProxiedTls;
  /** All extensions, in their order, these above among them. */
  readonly extensions: readonly ProxyExtension[];
}
