// berkeley/websocket: WebSocket, RFC 6455 and RFC 7692. Names only; nothing happens here.

export { HandshakeError, connect } from "./client.ts";
export type { ConnectOptions } from "./client.ts";
export type { CompressionOptions } from "./compression.ts";
export { WebSocketConnection } from "./connection.ts";
export type { MessageHandler } from "./connection.ts";
export type * from "./events.ts";
export type { CloseInfo, WebSocketMessage } from "./link-owner.ts";
export type { WebSocketOptions } from "./options.ts";
export { WebSocketParser } from "./parser.ts";
export type { WebSocketParserOptions } from "./parser.ts";
export type { MessageParts } from "./parts.ts";
export { accept, serve } from "./server.ts";
export type { AcceptOptions, WebSocketHandler, WebSocketServeOptions } from "./server.ts";
export { afterStep, phaseOf } from "./state.ts";
export type { Phase, SideState, Step } from "./state.ts";
export { acceptDeflate, offerDeflate, readDeflate } from "./syntax/deflate.ts";
export type { DeflateAgreement, DeflateWishes } from "./syntax/deflate.ts";
export { WEBSOCKET_REFUSALS, closeCodeOfRefusal, statusOfHandshakeRefusal } from "./syntax/errors.ts";
export type { HandshakeRefusal, WebSocketMistake, WebSocketRefusal } from "./syntax/errors.ts";
export {
  acceptOf,
  makeKey,
  readAnswer,
  readHandshake,
  requestFields,
  responseFields,
} from "./syntax/handshake.ts";
export type { Agreed, Asked, Asking, HandshakeRequest } from "./syntax/handshake.ts";
export { WEBSOCKET_LIMITS } from "./syntax/limits.ts";
export type { WebSocketLimits } from "./syntax/limits.ts";
export { readText } from "./syntax/utf8.ts";
export { natsTopics } from "./nats-topics.ts";
export type { NatsConnectionLike, TopicNameOptions } from "./nats-topics.ts";
export { redisTopics } from "./redis-topics.ts";
export type { RedisLike } from "./redis-topics.ts";
export { TopicBusError } from "./topic-bus.ts";
export type { BusListener, BusSubscription, TopicBus, TopicBusEvent } from "./topic-bus.ts";
export { Topics } from "./topics.ts";
export type { SlowPolicy, TopicsOptions } from "./topics.ts";
export { WebSocketWriter } from "./writer.ts";
export type { WebSocketWriterOptions } from "./writer.ts";
