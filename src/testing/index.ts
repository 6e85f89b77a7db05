// berkeley/testing: checks and makeshift surroundings for programs that stand on Berkeley. Names only; nothing happens here.

export { checkByteStream } from "./byte-stream/index.ts";
export type { ByteStreamCheck, ByteStreamCheckOptions, StreamPair } from "./byte-stream/index.ts";
