// berkeley/tls: TLS 1.2 and 1.3 on either end of a stream, by the OpenSSL that Node brings. Names only; nothing happens here.

export { TlsListener, acceptTls, listenTls, secureListener } from "./accept.ts";
export type { TlsServerSide } from "./accept.ts";
export { connectTls, startTls } from "./connect.ts";
export type { ConnectTlsOptions, StartTlsOptions, TlsClientOptions } from "./connect.ts";
export { TlsError } from "./errors.ts";
export type { TlsErrorCode, TlsErrorDetails } from "./errors.ts";
export type { Pem, TlsIdentity, TlsOptions, TlsVersion } from "./options.ts";
export { TlsServerContext } from "./server-context.ts";
export type { ClientCertificate, TlsServerOptions } from "./server-context.ts";
export { TlsStream } from "./tls-stream.ts";
export type { ChannelBinding } from "./channel-binding.ts";
export type { Upgradable } from "./upgrade.ts";
