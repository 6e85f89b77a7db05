// Every question, in the order in which they are asked and printed.
import type { Question } from "../support/question.ts";
import { question as acceptRate } from "./accept-rate.ts";
import { question as delay64x16k } from "./delay-64x16k.ts";
import { question as delay64x64 } from "./delay-64x64.ts";
import { question as duplex64x16k } from "./duplex-64x16k.ts";
import { question as duplex64x64 } from "./duplex-64x64.ts";
import { question as echo1x64 } from "./echo-1x64.ts";
import { question as echo512x64 } from "./echo-512x64.ts";
import { question as echo64x16k } from "./echo-64x16k.ts";
import { question as echo64x64 } from "./echo-64x64.ts";
import { question as httpClient } from "./http-client.ts";
import { question as httpDownload } from "./http-download.ts";
import { question as httpHono } from "./http-hono.ts";
import { question as httpHello } from "./http-hello.ts";
import { question as httpUpload } from "./http-upload.ts";
import { question as idleMemory } from "./idle-memory.ts";
import { question as relay } from "./relay.ts";
import { question as streamReceive } from "./stream-receive.ts";
import { question as streamSend } from "./stream-send.ts";
import { question as tlsEcho64x16k } from "./tls-echo-64x16k.ts";
import { question as tlsEcho64x64 } from "./tls-echo-64x64.ts";
import { question as tlsReceive } from "./tls-receive.ts";
import { question as tlsSend } from "./tls-send.ts";
import { question as udpReceiveBatch } from "./udp-receive-batch.ts";
import { question as udpReceiveGro } from "./udp-receive-gro.ts";
import { question as udpReceive } from "./udp-receive.ts";
import { question as udpSendBatch } from "./udp-send-batch.ts";
import { question as udpSendGso } from "./udp-send-gso.ts";
import { question as udpSend } from "./udp-send.ts";
import { question as watching } from "./watching.ts";
import { question as workersEveryCore } from "./workers-every-core.ts";
import { question as workers } from "./workers.ts";
import { question as wsBroadcast } from "./ws-broadcast.ts";
import { question as wsEcho64x64 } from "./ws-echo-64x64.ts";
import { question as wsIdleMemory } from "./ws-idle-memory.ts";

export const questions: readonly Question[] = [
  echo1x64,
  echo64x64,
  echo512x64,
  echo64x16k,
  streamReceive,
  streamSend,
  relay,
  duplex64x64,
  duplex64x16k,
  watching,
  acceptRate,
  workers,
  workersEveryCore,
  idleMemory,
  delay64x64,
  delay64x16k,
  udpReceive,
  udpReceiveBatch,
  udpReceiveGro,
  udpSend,
  udpSendBatch,
  udpSendGso,
  tlsEcho64x64,
  tlsEcho64x16k,
  tlsReceive,
  tlsSend,
  httpHello,
  httpHono,
  httpDownload,
  httpUpload,
  wsEcho64x64,
  wsBroadcast,
  wsIdleMemory,
  httpClient,
];
