// berkeley/server: servers over any listener. Names only; nothing happens here.

export type { Connection, Handler } from "./connection.ts";
export type { ServerStats } from "./counters.ts";
export { ServerError } from "./errors.ts";
export type { ServerErrorCode } from "./errors.ts";
export type { ServeOptions } from "./options.ts";
export { Server, serve } from "./serve.ts";
export type { DrainReport, ListenerOf, ShutdownOptions } from "./serve.ts";
export { shutdownOnSignals } from "./signals.ts";
export type { Stoppable, StopSignalOptions } from "./signals.ts";
