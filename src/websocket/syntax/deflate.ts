// permessage-deflate, agreed on: what a client offers, what a server takes of it, and what both then know. RFC 7692 section
// 7.1. It compresses nothing.

import type { ListElement } from "../../wire/parameters.ts";
import { refusal } from "./errors.ts";

const NAME = "permessage-deflate";

/** zlib makes no raw deflate with a window of 2^8 bytes, though RFC 7692 has it; it reads all. */
const WINDOW_BITS_MIN = 9;
const WINDOW_BITS_MAX = 15;
const WINDOW_BITS = /^(?:[89]|1[0-5])$/;

/**
 * What is wished for. Context takeover means that a message is compressed with what the ones before it have in common with
 * it: the smaller messages, and each connection holds up to 300 KiB for as long as it lives.
 */
export interface DeflateWishes {
  /** The server compresses each message by itself. Default true: what many clients get is compressed once. */
  readonly serverNoContextTakeover?: boolean | undefined;
  /** The client does. Default true: the server then holds nothing between messages. */
  readonly clientNoContextTakeover?: boolean | undefined;
  /** The server's window is 2 to the power of this, 9 to 15. Default 15. */
  readonly serverMaxWindowBits?: number | undefined;
  /** The client's. Default 15. */
  readonly clientMaxWindowBits?: number | undefined;
}

/** What was agreed on. */
export interface DeflateAgreement {
  readonly serverNoContextTakeover: boolean;
  readonly clientNoContextTakeover: boolean;
  readonly serverMaxWindowBits: number;
  readonly clientMaxWindowBits: number;
}

/** Parameters of an offer or an answer, read; undefined: not there. */
interface Parameters {
  readonly serverNoContextTakeover: boolean;
  readonly clientNoContextTakeover: boolean;
  readonly serverMaxWindowBits: number | undefined;
  readonly clientMaxWindowBits: number | undefined;
}

/** Of an offer alone: the client's window may be chosen by the server. */
const ANY_BITS = 0;

/** @returns undefined: one is unknown, or has no value that it may have. */
function read(parameters: ReadonlyMap<string, string>, isOffer: boolean): Parameters | undefined {
  let serverNoContextTakeover = false;
  let clientNoContextTakeover = false;
  let serverMaxWindowBits: number | undefined;
  let clientMaxWindowBits: number | undefined;
  for (const [name, value] of parameters) {
    const isBits = WINDOW_BITS.test(value);
    if (name === "server_no_context_takeover" && value === "") serverNoContextTakeover = true;
    else if (name === "client_no_context_takeover" && value === "") clientNoContextTakeover = true;
    else if (name === "server_max_window_bits" && isBits) serverMaxWindowBits = Number(value);
    else if (name === "client_max_window_bits" && isBits) clientMaxWindowBits = Number(value);
    else if (name === "client_max_window_bits" && value === "" && isOffer) clientMaxWindowBits = ANY_BITS;
    else return undefined;
  }
  return { serverNoContextTakeover, clientNoContextTakeover, serverMaxWindowBits, clientMaxWindowBits };
}

function write(serverNo: boolean, clientNo: boolean, serverBits: number, clientBits: number | ""): string {
  let text = NAME;
  if (serverNo) text += "; server_no_context_takeover";
  if (clientNo) text += "; client_no_context_takeover";
  if (serverBits < WINDOW_BITS_MAX) text += `; server_max_window_bits=${serverBits}`;
  if (clientBits === "") text += "; client_max_window_bits";
  else if (clientBits < WINDOW_BITS_MAX) text += `; client_max_window_bits=${clientBits}`;
  return text;
}

/** A client's offer, for Sec-WebSocket-Extensions. */
export function offerDeflate(wishes: DeflateWishes): string {
  const { serverNoContextTakeover: serverNo = true, clientNoContextTakeover: clientNo = true } = wishes;
  const { serverMaxWindowBits = WINDOW_BITS_MAX, clientMaxWindowBits = WINDOW_BITS_MAX } = wishes;
  // Without a value it says that the server may ask for a smaller window.
  const clientBits = clientMaxWindowBits === WINDOW_BITS_MAX ? "" : clientMaxWindowBits;
  return write(serverNo, clientNo, serverMaxWindowBits, clientBits);
}

/**
 * What a server takes of a client's offers: the first that it can keep.
 *
 * @returns undefined: none; messages are not compressed then. `text` goes into Sec-WebSocket-Extensions.
 */
export function acceptDeflate(
  offers: readonly ListElement[],
  wishes: DeflateWishes,
): { readonly agreement: DeflateAgreement; readonly text: string } | undefined {
  const { serverNoContextTakeover: serverNo = true, clientNoContextTakeover: clientNo = true } = wishes;
  for (const { name, parameters } of offers) {
    if (name !== NAME) continue;
    const offer = read(parameters, true);
    // What cannot be read is declined (section 7), and so is a window that cannot be made.
    if (offer === undefined || (offer.serverMaxWindowBits ?? WINDOW_BITS_MAX) < WINDOW_BITS_MIN) continue;
    const wishedServerBits = wishes.serverMaxWindowBits ?? WINDOW_BITS_MAX;
    const serverMaxWindowBits = Math.min(wishedServerBits, offer.serverMaxWindowBits ?? WINDOW_BITS_MAX);
    // A client that does not offer it has a window of its own choice.
    const wishedClientBits = wishes.clientMaxWindowBits ?? WINDOW_BITS_MAX;
    const clientMaxWindowBits =
      offer.clientMaxWindowBits === undefined
        ? WINDOW_BITS_MAX
        : Math.min(wishedClientBits, offer.clientMaxWindowBits || WINDOW_BITS_MAX);
    const agreement = {
      serverNoContextTakeover: serverNo || offer.serverNoContextTakeover,
      clientNoContextTakeover: clientNo || offer.clientNoContextTakeover,
      serverMaxWindowBits,
      clientMaxWindowBits,
    };
    const text = write(
      agreement.serverNoContextTakeover,
      agreement.clientNoContextTakeover,
      serverMaxWindowBits,
      clientMaxWindowBits,
    );
    return { agreement, text };
  }
  return undefined;
}

/**
 * What a client has of a server's answer to its offer.
 *
 * @param offered  what offerDeflate() was given; undefined: nothing was offered.
 * @returns undefined: messages are not compressed.
 * @throws {RemoteProtocolError} ERR_WEBSOCKET_EXTENSIONS: something that was not offered, or cannot be.
 */
export function readDeflate(
  answer: readonly ListElement[],
  offered: DeflateWishes | undefined,
): DeflateAgreement | undefined {
  const [element, ...others] = answer;
  if (element === undefined) return undefined;
  const found = element.name === NAME && others.length === 0 ? read(element.parameters, false) : undefined;
  if (offered === undefined || found === undefined) throw unasked(element.name);
  const { serverMaxWindowBits = WINDOW_BITS_MAX, clientMaxWindowBits = WINDOW_BITS_MAX } = found;
  const { serverNoContextTakeover: serverNo = true, clientNoContextTakeover: clientNo = true } = offered;
  // Section 7.1.1.1: what was asked of the server it must grant. Of the client it may ask what was offered, all of it.
  if (serverNo && !found.serverNoContextTakeover) throw unasked("context takeover by the server");
  if (serverMaxWindowBits > (offered.serverMaxWindowBits ?? WINDOW_BITS_MAX))
    throw unasked(`server_max_window_bits=${serverMaxWindowBits}`);
  if (clientMaxWindowBits < WINDOW_BITS_MIN) throw unasked(`client_max_window_bits=${clientMaxWindowBits}`);
  return {
    serverNoContextTakeover: found.serverNoContextTakeover,
    // Who has offered to do without may do without, whatever is answered.
    clientNoContextTakeover: clientNo || found.clientNoContextTakeover,
    serverMaxWindowBits,
    clientMaxWindowBits: Math.min(clientMaxWindowBits, offered.clientMaxWindowBits ?? WINDOW_BITS_MAX),
  };
}

function unasked(what: string): Error {
  return refusal("ERR_WEBSOCKET_EXTENSIONS", `the server answers with ${what}, which was not offered`);
}
