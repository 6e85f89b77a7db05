// berkeley/wire: pure pieces that protocols share, for parsers of one's own. Names only; nothing happens here.

export { ByteQueue } from "./byte-queue.ts";
export { LocalProtocolError, ProtocolError, RemoteProtocolError } from "./errors.ts";
export type { ProtocolErrorOptions } from "./errors.ts";
