// berkeley/wire: pure pieces that protocols share, for parsers of one's own. Names only; nothing happens here.

export { ByteBuilder } from "./byte-builder.ts";
export { ByteQueue } from "./byte-queue.ts";
export { isFieldValue, isToken } from "./characters.ts";
export { LocalProtocolError, ProtocolError, RemoteProtocolError } from "./errors.ts";
export type { ProtocolErrorOptions } from "./errors.ts";
export { NEED_DATA } from "./need-data.ts";
export { parseElement, parseList, quoteString } from "./parameters.ts";
export type { ListElement } from "./parameters.ts";
