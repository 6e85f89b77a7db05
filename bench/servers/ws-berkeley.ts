// Berkeley's server of WebSockets: a handler that is given each message ("ws-echo", "ws-idle"), messages pulled
// ("ws-echo-pull"), topics ("ws-broadcast").
import { Topics, serve } from "berkeley/websocket";
import type { WebSocketHandler } from "berkeley/websocket";
import { announce, chosenJob } from "./control.ts";

const topics = new Topics();

const echo: WebSocketHandler = (socket) => socket.each((message) => socket.send(message));

const pull: WebSocketHandler = async (socket) => {
  for await (const message of socket) await socket.send(message);
};

const broadcast: WebSocketHandler = (socket) => {
  topics.subscribe(socket, "all");
  return socket.each((message) => void topics.publish("all", message));
};

const jobs = { "ws-echo": echo, "ws-echo-pull": pull, "ws-idle": echo, "ws-broadcast": broadcast };
const handle = jobs[chosenJob(["ws-echo", "ws-echo-pull", "ws-idle", "ws-broadcast"])];
// The generator leaves by reset, which is told to nobody.
const server = await serve({ handle });
announce((server.localAddress as [string, number])[1]);
