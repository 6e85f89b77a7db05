// `berkeley/selectors`: waiting for many descriptors, as CPython's selectors module, and for one of anybody's. Names
// only; nothing happens here.

export { BaseSelector } from "./base.ts";
export { SelectorError } from "./errors.ts";
export { EVENT_READ, EVENT_WRITE } from "./key.ts";
export type { DataArgument, FileObject, Ready, SelectorKey } from "./key.ts";
export type { SelectorMap } from "./map.ts";
export { readable, writable } from "./ready.ts";
export { DefaultSelector, EpollSelector, KqueueSelector } from "./scalable.ts";
export { PollSelector, SelectSelector } from "./scanning.ts";
export { SocketError } from "../socket/errors.ts";
export type { WaitOptions } from "../socket/face.ts";
