// berkeley/wire: pure pieces that protocols share, for parsers of one's own. Names only; nothing happens here.

export { ByteBuilder } from "./byte-builder.ts";
export { ByteQueue } from "./byte-queue.ts";
export { isFieldValue, isToken } from "./characters.ts";
export { LocalProtocolError, ProtocolError, RemoteProtocolError } from "./errors.ts";
export type { ProtocolErrorOptions } from "./errors.ts";
export { FrameDecoder } from "./framing/decoder.ts";
export type { Framing, FramingOptions, Payload } from "./framing/decoder.ts";
export { delimited } from "./framing/delimited.ts";
export { fixedLength } from "./framing/fixed-length.ts";
export { lengthPrefixed, varintPrefixed } from "./framing/length-prefixed.ts";
export type { LengthPrefixedOptions } from "./framing/length-prefixed.ts";
export { netstring } from "./framing/netstring.ts";
export { NEED_DATA } from "./need-data.ts";
export { parseElement, parseList, quoteString } from "./parameters.ts";
export type { ListElement } from "./parameters.ts";
