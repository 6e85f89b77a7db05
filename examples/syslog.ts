// Writes a line to the system's log, as logger(1) does: one datagram to /dev/log in the form of RFC 5424, or of RFC 3164 as
// the C library's syslog(3) writes it. Where the log's daemon listens with a stream, a line ends with a NUL instead.
//
//   node syslog.js [--rfc3164] [--path PATH] [--priority FACILITY.LEVEL] [--tag TAG] MESSAGE
import { hostname } from "node:os";
import { parseArgs } from "node:util";
import { AF_UNIX, SOCK_DGRAM, SOCK_STREAM, socket } from "berkeley";
import type { Socket } from "berkeley";

/** RFC 5424 section 6.2.1, with the names of syslog(3); 12 to 15 have none there. */
const FACILITIES = `kern user mail daemon auth syslog lpr news uucp cron authpriv ftp 12 13 14 15
  local0 local1 local2 local3 local4 local5 local6 local7`.split(/\s+/);
const LEVELS = "emerg alert crit err warning notice info debug".split(" ");

function priorityOf(text: string): number {
  const [facility, level] = text.split(".").map((name, at) => (at === 0 ? FACILITIES : LEVELS).indexOf(name));
  if (facility === undefined || level === undefined || facility < 0 || level < 0)
    throw new RangeError(`no such priority: ${text}`);
  return facility * 8 + level;
}

/** What may stand in a field of the header: printable ASCII without spaces, so much of it; "-" is nothing. */
const field = (text: string, length: number): string => text.replace(/[^!-~]/g, "").slice(0, length) || "-";

/** RFC 5424 section 6, without structured data; the byte order mark says that the message is UTF-8. */
function rfc5424(priority: number, tag: string, message: string): string {
  const fields = [new Date().toISOString(), field(hostname(), 255), field(tag, 48), process.pid, "-", "-"];
  return `<${priority}>1 ${fields.join(" ")} \uFEFF${message}`;
}

/** RFC 3164 section 4.1, without the host, which the daemon of the same machine knows. */
function rfc3164(priority: number, tag: string, message: string): string {
  const [, month, day, , time] = new Date().toString().split(" ");
  return `<${priority}>${month} ${day?.replace(/^0/, " ")} ${time} ${field(tag, 32)}[${process.pid}]: ${message}`;
}

async function openLog(path: string): Promise<Socket> {
  const datagrams = socket(AF_UNIX, SOCK_DGRAM);
  if ((await datagrams.connect_ex(path)) === 0) return datagrams;
  datagrams.close(); // it listens with a stream, or the stream's connect() says what is wrong
  const stream = socket(AF_UNIX, SOCK_STREAM);
  await stream.connect(path);
  return stream;
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rfc3164: { type: "boolean", default: false },
    path: { type: "string", default: "/dev/log" },
    priority: { type: "string", default: "user.notice" },
    tag: { type: "string", default: "node" },
  },
});
const format = values.rfc3164 ? rfc3164 : rfc5424;
const line = format(priorityOf(values.priority), values.tag, positionals.join(" "));
using log = await openLog(values.path);
await log.sendall(log.type === SOCK_STREAM ? `${line}\0` : line);
