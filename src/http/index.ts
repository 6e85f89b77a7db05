// berkeley/http: HTTP/1.1 and 1.0. Names only; nothing happens here.

export type * from "./events.ts";
export { RequestParser, ResponseParser } from "./parser.ts";
export { Exchange } from "./state.ts";
export type { Prospects, RequesterState, ResponderState, Step } from "./state.ts";
export { HTTP_REFUSALS, statusOfRefusal } from "./syntax/errors.ts";
export type { HttpMistake, HttpRefusal } from "./syntax/errors.ts";
export { HttpFields } from "./syntax/fields.ts";
export type { FieldsInit } from "./syntax/fields.ts";
export { HTTP_LIMITS } from "./syntax/limits.ts";
export type { HttpLimits } from "./syntax/limits.ts";
export { PAUSED } from "./syntax/message-parser.ts";
export { RequestWriter, ResponseWriter } from "./writer.ts";
export type { Answered, RequestInit, ResponseInit } from "./writer.ts";
