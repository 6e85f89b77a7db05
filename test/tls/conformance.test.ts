// TLS against the promises of ByteStream: both ends, both versions, over a descriptor that Node has and over what is wrapped.

import { test } from "node:test";
import { socketpair } from "berkeley";
import { SocketStream, memoryPair } from "berkeley/stream";
import type { ByteStream } from "berkeley/stream";
import { checkByteStream } from "berkeley/testing";
import type { StreamPair } from "berkeley/testing";
import type { StartTlsOptions } from "berkeley/tls";
import { OPENSSL } from "../support/certificates.ts";
import { tcpStreams, tlsPair } from "../support/tls.ts";

const streams: Readonly<Record<string, () => Promise<[ByteStream, ByteStream]> | [ByteStream, ByteStream]>> =
  {
    TCP: tcpStreams,
    "Unix sockets": () => {
      const [a, b] = socketpair();
      return [new SocketStream(a), new SocketStream(b)];
    },
    memory: () => memoryPair(),
    "TLS over TCP": async () => {
      const { client, server } = await tlsPair();
      return [client, server];
    },
  };

async function ends(kind: string, options: Partial<StartTlsOptions>): Promise<StreamPair> {
  const { client, server } = await tlsPair(options, undefined, streams[kind]);
  return [client, server];
}

/** Of the two versions, what may differ. */
const KINDS = { "TLSv1.3": Object.keys(streams), "TLSv1.2": ["TCP", "memory"] } as const;

for (const maxVersion of ["TLSv1.3", "TLSv1.2"] as const)
  for (const kind of KINDS[maxVersion])
    for (const end of kind === "TLS over TCP" ? (["client"] as const) : (["client", "server"] as const))
      for (const { name, run } of checkByteStream(async () => {
        const pair = await ends(kind, { maxVersion });
        return end === "client" ? pair : (pair.toReversed() as never);
      }))
        test(`${maxVersion} ${end} over ${kind}: ${name}`, { skip: OPENSSL.skip }, run);
