// A chat: a page, and a WebSocket for each room. Who says something is heard by everybody else in the room. Until Ctrl-C: then
// everybody is told that the server goes away. node websocket-chat.js [HOST [PORT]]
import { serve } from "berkeley/http";
import { shutdownOnSignals } from "berkeley/server";
import { Topics, accept } from "berkeley/websocket";

const PAGE = `<!doctype html><title>chat</title><input autofocus><pre></pre><script>
const socket = new WebSocket(location.href.replace(/^http/, "ws"));
const [input] = document.getElementsByTagName("input");
const [said] = document.getElementsByTagName("pre");
socket.onmessage = ({ data }) => { said.textContent += data + "\\n"; };
input.onchange = () => { socket.send(input.value); input.value = ""; };
</script>`;

const rooms = new Topics();

const server = await serve({
  host: process.argv[2] ?? "127.0.0.1",
  port: Number(process.argv[3] ?? 8080),
  async handle(request, reply) {
    if (!request.upgrade) return reply.send(200, { "Content-Type": "text/html" }, PAGE);
    const socket = await accept(request, reply);
    if (socket === undefined) return;
    const room = request.path;
    rooms.subscribe(socket, room);
    rooms.publish(room, `somebody comes, ${rooms.count(room)} are here`);
    await socket.each((message) => void rooms.publish(room, message, socket));
    rooms.publish(room, "somebody goes");
  },
});
shutdownOnSignals(server);
console.log("listening on", ...(server.localAddress as [string, number]));
await server.finished;
