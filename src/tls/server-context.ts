// What a server of TLS is: who it is, under which names, whom it lets in. Certificates can be exchanged while it runs. It
// holds what all its connections have in common and knows none of them.

import { randomBytes } from "node:crypto";
import type { SecureContext } from "node:tls";
import { checkInteger } from "../socket/base.ts";
import { invalidArgument, outOfRange } from "../socket/errors.ts";
import { contextOf } from "./credentials.ts";
import type { SessionSettings } from "./credentials.ts";
import { checkIdentity, checkTlsOptions } from "./options.ts";
import type { CheckedTlsOptions, TlsIdentity, TlsOptions } from "./options.ts";

/** What a server does about its clients' certificates. */
export type ClientCertificate = "none" | "optional" | "required";

/** What a server may be told. `ca`: who vouches for clients; without it none can be asked for a certificate. */
export interface TlsServerOptions extends TlsOptions, TlsIdentity {
  /**
   * Who the server is under a name that a client asks for (SNI). Undefined: who it is otherwise, as for clients that ask for
   * none. Give the same object each time for the same identity: its credentials are then read once.
   */
  readonly identityFor?:
    | ((serverName: string) => TlsIdentity | undefined | Promise<TlsIdentity | undefined>)
    | undefined;
  /** "optional": who sends one must have a good one. Default "none": clients are not asked. */
  readonly clientCertificate?: ClientCertificate | undefined;
  /** How long a session can be resumed, in whole seconds of time. Default 7200000, RFC 8446's most being a week. */
  readonly sessionTimeoutMs?: number | undefined;
  /**
   * 48 secret bytes. Servers that have them in common, in threads or on machines, resume each other's sessions. Who learns
   * them can read what TLS 1.2 has resumed: exchange them. Default random.
   */
  readonly ticketKeys?: Uint8Array | undefined;
}

const TICKET_KEYS_BYTES = 48;
const SESSION_TIMEOUT_MS = 7_200_000;
/** RFC 8446 section 4.6.1: seven days. */
const SESSION_TIMEOUT_MS_MAX = 604_800_000;

/** What its connections need of a server. @internal */
export interface ServerSettings extends CheckedTlsOptions {
  readonly clientCertificate: ClientCertificate;
  readonly hasNames: boolean;
}

/** A server's credentials and rules, for acceptTls() and secureListener(). */
export class TlsServerContext {
  /** @internal */
  readonly settings: ServerSettings;
  readonly #sessions: SessionSettings;
  readonly #identityFor: TlsServerOptions["identityFor"];
  /** Contexts of what identityFor has given, as long as the program holds that. */
  #named = new WeakMap<TlsIdentity, SecureContext>();
  #context: SecureContext;

  /**
   * @throws {TlsError} ERR_TLS_CREDENTIALS: OpenSSL does not take them.
   * @throws {TypeError} ERR_INVALID_ARG_TYPE. @throws {RangeError} ERR_OUT_OF_RANGE; the message names the option.
   */
  constructor(options: TlsServerOptions) {
    const { clientCertificate = "none", identityFor, sessionTimeoutMs = SESSION_TIMEOUT_MS } = options;
    const { ticketKeys = randomBytes(TICKET_KEYS_BYTES) } = options;
    const identity = checkIdentity("options", options);
    if (!["none", "optional", "required"].includes(clientCertificate))
      throw invalidArgument(
        "options.clientCertificate",
        '"none", "optional" or "required"',
        clientCertificate,
      );
    if (identityFor !== undefined && typeof identityFor !== "function")
      throw invalidArgument("options.identityFor", "a function", identityFor);
    checkInteger("options.sessionTimeoutMs", sessionTimeoutMs, 1000, SESSION_TIMEOUT_MS_MAX);
    if (!(ticketKeys instanceof Uint8Array))
      throw invalidArgument("options.ticketKeys", "a Uint8Array", typeof ticketKeys);
    if (ticketKeys.length !== TICKET_KEYS_BYTES)
      throw outOfRange("options.ticketKeys", `${TICKET_KEYS_BYTES} bytes`, ticketKeys.length);
    const checked = checkTlsOptions(options);
    // Anybody can have a certificate of the roots that everybody trusts: that would let everybody in.
    if (clientCertificate !== "none" && checked.ca === undefined)
      throw invalidArgument("options.ca", "given where clients are asked for certificates", options.ca);
    this.settings = { ...checked, clientCertificate, hasNames: identityFor !== undefined };
    this.#identityFor = identityFor;
    this.#sessions = {
      ticketKeys: Buffer.from(ticketKeys),
      timeoutSeconds: Math.floor(sessionTimeoutMs / 1000),
      about: JSON.stringify(
        [clientCertificate, ...(checked.ca ?? []), "", ...(checked.crl ?? [])].map(String),
      ),
    };
    this.#context = contextOf(checked, identity, this.#sessions);
  }

  /**
   * Exchanges the certificate and its key. Connections that there are go on; new ones, and handshakes that begin, have the
   * new one. What identityFor gives is asked for anew.
   *
   * @throws {TlsError} ERR_TLS_CREDENTIALS: the new ones cannot be used; the old ones stay. @throws {TypeError}
   *   ERR_INVALID_ARG_TYPE.
   */
  setIdentity(identity: TlsIdentity): void {
    this.#context = contextOf(this.settings, checkIdentity("identity", identity), this.#sessions);
    this.#named = new WeakMap();
  }

  /** Of clients that ask for no name. @internal */
  get context(): SecureContext {
    return this.#context;
  }

  /** Of a name. @throws what identityFor throws. @internal */
  async contextFor(serverName: string): Promise<SecureContext> {
    const given = await this.#identityFor?.(serverName);
    if (given === undefined) return this.#context;
    const known = this.#named.get(given);
    if (known !== undefined) return known;
    const made = contextOf(this.settings, checkIdentity("identityFor's identity", given), this.#sessions);
    this.#named.set(given, made);
    return made;
  }
}
