// berkeley/server: servers over any listener. Names only; nothing happens here.

export { AddressList } from "./address-list.ts";
export type { Connection, Handler } from "./connection.ts";
export type { ServerStats } from "./counters.ts";
export { ServerError } from "./errors.ts";
export type { ServerErrorCode } from "./errors.ts";
export { guard } from "./guard.ts";
export type { GuardOptions } from "./guard.ts";
export { handOver, takeOver } from "./hand-over.ts";
export type { HandOver, HandOverOptions, TakenOver } from "./hand-over.ts";
export type { ServeOptions } from "./options.ts";
export { ProxiedStream, behindProxy } from "./proxied.ts";
export type { BehindProxyOptions } from "./proxied.ts";
export type { ProxiedAddress, ProxiedTls, ProxyExtension, ProxyHeader } from "./proxy-protocol/events.ts";
export { ProxyHeaderParser } from "./proxy-protocol/parser.ts";
export type { ProxyParserOptions } from "./proxy-protocol/parser.ts";
export { formatProxyV1, formatProxyV2 } from "./proxy-protocol/writer.ts";
export type { ProxiedEnds, ProxyV2Options } from "./proxy-protocol/writer.ts";
export { Server, serve } from "./serve.ts";
export type { DrainReport, ListenerOf, ShutdownOptions } from "./serve.ts";
export { shutdownOnSignals } from "./signals.ts";
export type { Stoppable, StopSignalOptions } from "./signals.ts";
export { listenersFromSystemd, sdNotify, socketsFromSystemd } from "./systemd.ts";
export type { NamedListener, NamedSocket } from "./systemd.ts";
export { WorkersServer, serveWorkers } from "./workers.ts";
export type { ServeWorkersOptions, WorkersStats } from "./workers.ts";
