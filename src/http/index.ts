// berkeley/http: HTTP/1.1 and 1.0. Names only; nothing happens here.

export { HttpClient, fetch, request } from "./client.ts";
export { RequestTimeoutError } from "./client/errors.ts";
export type { RequestPhase } from "./client/errors.ts";
export { EventStreamError, eventSource, eventsOf } from "./client/event-source.ts";
export type { EventRequesting, EventSourceOptions } from "./client/event-source.ts";
export type {
  ClientOptions,
  Connect,
  CookieJar,
  Origin,
  RequestContent,
  RequestManner,
  RequestOptions,
  RequestTimeouts,
  RequestTls,
  RequestTransport,
} from "./client/options.ts";
export type { ClientStats } from "./client/pool.ts";
export { HttpResponse } from "./client/response.ts";
export { ProxyError } from "./client/tunnel.ts";
export { Content } from "./content.ts";
export type * from "./events.ts";
export { RequestParser, ResponseParser } from "./parser.ts";
export { serve } from "./server.ts";
export type { HttpServeOptions } from "./server.ts";
export type { HttpHandler } from "./server/connection.ts";
export type { Coding, CompressOptions } from "./server/compression.ts";
export { fetchHandler } from "./server/fetch.ts";
export type { FetchHandler, FetchInfo } from "./server/fetch.ts";
export { Response } from "./server/web/light-response.ts";
export type { ConnectionOptions } from "./server/options.ts";
export { HttpReply } from "./server/reply.ts";
export type { BeginOptions } from "./server/reply.ts";
export type { OpenFile } from "./server/files.ts";
export { staticFiles } from "./server/static.ts";
export type { StaticOptions } from "./server/static.ts";
export { HttpRequest } from "./server/request.ts";
export { Exchange } from "./state.ts";
export type { Prospects, RequesterState, ResponderState, Step } from "./state.ts";
export { HTTP_REFUSALS, statusOfRefusal } from "./syntax/errors.ts";
export type { HttpMistake, HttpRefusal } from "./syntax/errors.ts";
export { formatHttpDate, parseHttpDate } from "./syntax/date.ts";
export { EVENT_STREAM_LIMITS, EventStreamParser } from "./syntax/event-stream.ts";
export type { EventStreamLimits, RetryTime, ServerSentEvent } from "./syntax/event-stream.ts";
export { HttpFields } from "./syntax/fields.ts";
export type { FieldsInit } from "./syntax/fields.ts";
export { HTTP_LIMITS } from "./syntax/limits.ts";
export type { HttpLimits } from "./syntax/limits.ts";
export { PAUSED } from "./syntax/message-parser.ts";
export { RequestWriter, ResponseWriter } from "./writer.ts";
export type { Answered, RequestInit, ResponseInit } from "./writer.ts";
