// berkeley/stream: one interface over every stream of bytes. Names only; nothing happens here.

export { BufferedReader } from "./buffered-reader.ts";
export type { BufferedReaderOptions, ReadOptions } from "./buffered-reader.ts";
export type { ByteStream, StreamListener, StreamOptions } from "./byte-stream.ts";
export { connectTcp, connectUnix } from "./connect.ts";
export type { ConnectTcpOptions } from "./connect.ts";
export { ConnectError, UnexpectedEofError } from "./errors.ts";
export { frames } from "./frames.ts";
export { adoptNetSocket, toNetSocket } from "./duplex/descriptor.ts";
export type { ToNetSocketOptions } from "./duplex/descriptor.ts";
export { DuplexStream, fromDuplex } from "./duplex/from.ts";
export { StreamDuplex, toDuplex } from "./duplex/to.ts";
export type { ToDuplexOptions } from "./duplex/to.ts";
export { listenTcp, listenUnix } from "./listen.ts";
export type { ListenTcpOptions, ListenUnixOptions } from "./listen.ts";
export { SocketListener } from "./listener.ts";
export type { SocketListenerOptions } from "./listener.ts";
export { MemoryStream, memoryPair } from "./memory.ts";
export type { MemoryPairOptions } from "./memory.ts";
export { pipe, pipeBoth } from "./pipe.ts";
export type { PipeBothOptions, PipeOptions } from "./pipe.ts";
export { SocketStream } from "./socket-stream.ts";
export { TextReader, linesOf, textOf } from "./text.ts";
export type { TextOptions } from "./text.ts";
export { WebStream, fromWeb } from "./web/from.ts";
export type { WebStreams } from "./web/from.ts";
export { toWeb } from "./web/to.ts";
