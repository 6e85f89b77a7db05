// Files of a folder as answers: conditions, parts, types, and sendfile(2) where it can be. RFC 9110 sections 13 and 14. How
// conditions and parts are read, the files of syntax/ know.
//
// What it lets nobody see. Names are decoded once and looked at one by one, so that no encoding leads out of the folder;
// names that begin with a dot are not found; and both hold again after all links were followed: a link that leads out, or
// to such a name, is not there.

import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import type { BigIntStats } from "node:fs";
import { open, realpath } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { invalidArgument } from "../../socket/errors.ts";
import { judge } from "../syntax/conditions.ts";
import { formatHttpDate, nearestDate } from "../syntax/date.ts";
import { mediaTypeOf } from "../syntax/media-types.ts";
import { pathNames } from "../syntax/paths.ts";
import { readRange } from "../syntax/ranges.ts";
import type { ByteRange } from "../syntax/ranges.ts";
import { reasonOf } from "../syntax/status.ts";
import type { HttpHandler } from "./connection.ts";
import { readFile } from "./files.ts";
import { liesInside } from "./inside.ts";
import { listFolder } from "./listing.ts";
import type { HttpReply } from "./reply.ts";
import type { HttpRequest } from "./request.ts";

/** How staticFiles() serves. */
export interface StaticOptions {
  /** What is cut off a path's front before a file is looked for: "/assets". Default "". */
  readonly prefix?: string | undefined;
  /** The file that stands for its folder. Default "index.html"; false: none does. */
  readonly index?: string | false | undefined;
  /** Lists the names in a folder that has no index. Default false. */
  readonly list?: boolean | undefined;
  /** Cache-Control of each file. Default "no-cache": kept, and asked for again with its tag. */
  readonly cacheControl?: string | undefined;
}

/** Up to so many bytes go out together with the head; what is longer is not read, but sent. */
const WHOLE_BYTES_MAX = 32_768;
const MS_PER_NS = 1_000_000n;

/**
 * Answers GET and HEAD with the files of a folder.
 *
 * @param folder  everything in it but names that begin with a dot; links in it that lead out of it are not followed.
 * @example
 * const files = staticFiles("public");
 * await serve({ port: 8080, handle: files });
 * @throws {TypeError} ERR_INVALID_ARG_TYPE.
 */
export function staticFiles(folder: string, options: StaticOptions = {}): HttpHandler {
  if (typeof folder !== "string") throw invalidArgument("folder", "a string", folder);
  const { prefix = "", index = "index.html", list = false, cacheControl = "no-cache" } = options;
  return async (request, reply) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      plain(reply, 405, { Allow: "GET, HEAD" });
      return;
    }
    const names = namesIn(request.path, prefix);
    const file = names === undefined ? undefined : await find(folder, names, index, list);
    if (file === undefined) {
      const page = list && names?.at(-1) === "" ? await listing(folder, names.slice(0, -1)) : undefined;
      if (page === undefined) plain(reply, 404);
      else reply.send(200, { ...PAGE, "Cache-Control": cacheControl }, page);
    } else if (file === "folder") redirect(request, reply);
    else
      try {
        await sendFile(request, reply, file, cacheControl);
      } finally {
        await file.handle.close();
      }
  };
}

/** A page that runs nothing and loads nothing. */
const PAGE = {
  "Content-Type": "text/html; charset=utf-8",
  "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
  "X-Content-Type-Options": "nosniff",
};

/** @returns undefined: there is no such folder. */
async function listing(folder: string, names: readonly string[]): Promise<string | undefined> {
  try {
    const [root, real] = await Promise.all([realpath(folder), realpath(join(folder, ...names))]);
    return liesInside(root, real) ? await listFolder(root, real, names) : undefined;
  } catch (error) {
    if (isNotThere(error)) return undefined;
    throw error;
  }
}

function plain(reply: HttpReply, status: number, fields: Readonly<Record<string, string>> = {}): void {
  reply.send(status, { "Content-Type": "text/plain; charset=utf-8", ...fields }, `${reasonOf(status)}\n`);
}

/** A folder's name gets its slash. The path begins with one slash only, or it would name another host. */
function redirect({ path, query }: HttpRequest, reply: HttpReply): void {
  const location = `${path.replace(/^\/+/, "/")}/${query === "" ? "" : `?${query}`}`;
  plain(reply, 301, { Location: location });
}

function namesIn(path: string, prefix: string): string[] | undefined {
  if (!path.startsWith(prefix)) return undefined;
  const rest = path.slice(prefix.length);
  const names = rest.startsWith("/") ? pathNames(rest) : undefined;
  const hides = (name: string, at: number, all: string[]): boolean =>
    name.startsWith(".") || (name === "" && at < all.length - 1);
  return names?.some(hides) === true ? undefined : names;
}

interface Found {
  readonly handle: FileHandle;
  readonly name: string;
  readonly stats: BigIntStats;
}

/** @returns "folder": it is one, and was asked for without its slash. */
async function find(
  folder: string,
  names: readonly string[],
  index: string | false,
  list: boolean,
): Promise<Found | "folder" | undefined> {
  const asFolder = names.at(-1) === "";
  if (asFolder && index === false) return undefined;
  const path = join(folder, ...names, asFolder ? (index as string) : "");
  let handle: FileHandle | undefined;
  try {
    const [root, real] = await Promise.all([realpath(folder), realpath(path)]);
    if (!liesInside(root, real)) return undefined;
    // A pipe's opening would wait for its writer.
    handle = await open(real, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    const stats = await handle.stat({ bigint: true });
    if (stats.isFile()) return { handle, name: real, stats };
    await handle.close();
    return stats.isDirectory() && !asFolder && (index !== false || list) ? "folder" : undefined;
  } catch (error) {
    await handle?.close();
    if (isNotThere(error)) return undefined;
    throw error;
  }
}

const NOT_THERE: ReadonlySet<string> = new Set(
  "ENOENT ENOTDIR EACCES EPERM ELOOP ENAMETOOLONG ENXIO EINVAL".split(" "),
);

function isNotThere(error: unknown): boolean {
  return NOT_THERE.has((error as NodeJS.ErrnoException).code ?? "");
}

async function sendFile(
  request: HttpRequest,
  reply: HttpReply,
  { handle, name, stats }: Found,
  cacheControl: string,
): Promise<void> {
  const size = Number(stats.size);
  const modifiedMs = nearestDate(Number(stats.mtimeNs / MS_PER_NS));
  // Size and time of change to the nanosecond tell two contents apart, but for a file that is changed within one tick of
  // the file system's clock; that is what others rely on too.
  const etag = `"${stats.size.toString(36)}-${stats.mtimeNs.toString(36)}"`;
  const fields = {
    "Content-Type": mediaTypeOf(name),
    "X-Content-Type-Options": "nosniff",
    "Last-Modified": formatHttpDate(modifiedMs),
    ETag: etag,
    "Accept-Ranges": "bytes",
    "Cache-Control": cacheControl,
  };
  const verdict = judge(request.method, request.fields, { etag, modifiedMs }, Date.now());
  if (verdict === "notModified") {
    reply.send(304, { ETag: etag, "Cache-Control": cacheControl, "Last-Modified": fields["Last-Modified"] });
    return;
  }
  if (verdict === "failed") {
    plain(reply, 412);
    return;
  }
  // Range is of GET only (RFC 9110 section 14.2).
  const range = request.method === "GET" && verdict === "proceed" ? request.fields.get("range") : undefined;
  const wanted = range === undefined ? "all" : readRange(range, size);
  if (wanted === "none") plain(reply, 416, { "Content-Range": `bytes */${size}` });
  else if (wanted === "all") await sendWhole(reply, handle, size, fields, request.method === "HEAD");
  else if (wanted.length === 1) await sendPart(reply, handle, size, fields, wanted[0] as ByteRange);
  else await sendParts(reply, handle, size, fields, wanted);
}

type Fields = Readonly<Record<string, string>>;

async function sendWhole(
  reply: HttpReply,
  handle: FileHandle,
  size: number,
  fields: Fields,
  isHead: boolean,
): Promise<void> {
  if (size <= WHOLE_BYTES_MAX && !isHead) {
    const bytes = await readFile(handle, 0, size);
    if (bytes.length === size) {
      reply.send(200, fields, bytes);
      return;
    }
  }
  reply.begin(200, fields, { length: size });
  await reply.writeFile(handle, 0, size);
  reply.end();
}

const contentRange = ({ start, length }: ByteRange, size: number): string =>
  `bytes ${start}-${start + length - 1}/${size}`;

async function sendPart(
  reply: HttpReply,
  handle: FileHandle,
  size: number,
  fields: Fields,
  part: ByteRange,
): Promise<void> {
  reply.begin(206, { ...fields, "Content-Range": contentRange(part, size) }, { length: part.length });
  await reply.writeFile(handle, part.start, part.length);
  reply.end();
}

/** multipart/byteranges: RFC 9110 section 14.6. */
async function sendParts(
  reply: HttpReply,
  handle: FileHandle,
  size: number,
  fields: Fields,
  parts: readonly ByteRange[],
): Promise<void> {
  const { "Content-Type": type = "", ...others } = fields;
  // Nobody who wrote the file can have known it.
  const boundary = randomBytes(18).toString("base64url");
  const heads = parts.map(
    (part) =>
      `\r\n--${boundary}\r\nContent-Type: ${type}\r\nContent-Range: ${contentRange(part, size)}\r\n\r\n`,
  );
  const tail = `\r\n--${boundary}--\r\n`;
  const texts = heads.join("").length + tail.length;
  const length = parts.reduce((sum, part) => sum + part.length, texts);
  reply.begin(206, { ...others, "Content-Type": `multipart/byteranges; boundary=${boundary}` }, { length });
  for (const [at, part] of parts.entries()) {
    await reply.write(heads[at] as string);
    await reply.writeFile(handle, part.start, part.length);
  }
  await reply.write(tail);
  reply.end();
}
