// berkeley/stream: one interface over every stream of bytes. Names only; nothing happens here.

export type { ByteStream, StreamListener, StreamOptions } from "./byte-stream.ts";
