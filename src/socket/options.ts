// Socket options as bytes and integers: any level, any name; and the door to those that have a name and a type. What an
// option means it does not know: options/ does.

import { AF_VSOCK, IPPROTO_TCP, TCP_ULP } from "../constants/index.ts";
import { LITTLE_ENDIAN } from "./address/view.ts";
import { SocketBase, checkInt, checkInteger } from "./base.ts";
import { bytesOf } from "./bytes.ts";
import { SocketError, invalidArgument } from "./errors.ts";
import type { Face } from "./face.ts";
import { optionHint } from "./options/hint.ts";
import { typedOptions } from "./options/typed.ts";
import type { TypedOptions } from "./options/typed.ts";

/** getsockopt(2) bound: CPython allows 1024 bytes; struct tcp_info and filters are below it too. */
const OPTION_BYTES_MAX = 65_536;

const integer = new Uint8Array(8);
const integerView = new DataView(integer.buffer);
/** AF_VSOCK's own options are of 8 bytes, all other integers of 4. */
const WIDE_BYTES = 8;
const INT_BYTES = 4;

/** A socket's options. */
export abstract class OptionSocket<F extends Face = "async"> extends SocketBase<F> {
  /**
   * Reads an option as an integer.
   *
   * @param level  SOL_SOCKET, IPPROTO_TCP, …
   * @param name   SO_*, TCP_*, …
   * @throws {SocketError} ENOPROTOOPT: no such option here. EBADF: closed.
   * @see getsockopt(2)
   */
  getsockopt(level: number, name: number): number;
  /**
   * Reads an option as bytes.
   *
   * @param buflen  room for the answer, 1 to 65536 bytes.
   * @returns the bytes that the kernel wrote, at most `buflen`.
   * @throws {SocketError} ENOPROTOOPT: no such option here. EBADF: closed.
   * @see getsockopt(2)
   */
  getsockopt(level: number, name: number, buflen: number): Buffer;
  getsockopt(level: number, name: number, buflen?: number): number | Buffer {
    const { calls } = this.engine.backend;
    const at = [checkInt("level", level), checkInt("name", name)] as const;
    if (buflen !== undefined && buflen !== 0) {
      const into = Buffer.alloc(checkInteger("buflen", buflen, 0, OPTION_BYTES_MAX));
      const result = calls.getsockopt(this.open("getsockopt"), ...at, into, 0, into.length);
      const length = this.#done("getsockopt", at, result);
      return into.subarray(0, length);
    }
    integer.fill(0);
    const room = at[0] === AF_VSOCK ? WIDE_BYTES : INT_BYTES;
    const length = this.#done(
      "getsockopt",
      at,
      calls.getsockopt(this.open("getsockopt"), ...at, integer, 0, room),
    );
    if (length === 1) return integer[0] as number;
    return length === WIDE_BYTES
      ? Number(integerView.getBigUint64(0, LITTLE_ENDIAN))
      : integerView.getInt32(0, LITTLE_ENDIAN);
  }

  /**
   * Sets an option.
   *
   * @param value  a number or boolean is passed as a C int (AF_VSOCK's own options: as a uint64_t), bytes as they are.
   * @throws {SocketError} ENOPROTOOPT: no such option here. EINVAL: the kernel refuses the value. EPERM, EACCES: a right
   *   is missing, which the message names. EBADF: closed.
   * @see setsockopt(2)
   */
  setsockopt(level: number, name: number, value: number | boolean | ArrayBufferView): void;
  /**
   * Sets an option that has a length and no value: NULL and `optlen` are passed (ALG_SET_AEAD_AUTHSIZE).
   *
   * @param optlen  0 or more.
   * @throws {SocketError} as above.
   */
  setsockopt(level: number, name: number, value: null, optlen: number): void;
  setsockopt(
    level: number,
    name: number,
    value: number | boolean | ArrayBufferView | null,
    optlen?: number,
  ): void {
    const { calls } = this.engine.backend;
    const at = [checkInt("level", level), checkInt("name", name)] as const;
    let result: number;
    if (value === null) {
      if (optlen === undefined) throw invalidArgument("optlen", "a number where value is null", optlen);
      const length = checkInteger("optlen", optlen, 0, 2 ** 31 - 1);
      result = calls.setsockopt_null(this.open("setsockopt"), ...at, length);
    } else {
      if (optlen !== undefined) throw invalidArgument("optlen", "absent where value is not null", optlen);
      const bytes = valueBytes(at[0], value);
      result = calls.setsockopt(this.open("setsockopt"), ...at, bytes, 0, bytes.length);
    }
    this.#done("setsockopt", at, result);
    // Records of an upper-layer protocol (kTLS) end a read early: a short read no longer proves anything.
    if (level === IPPROTO_TCP && name === TCP_ULP) this.descriptor.shortReadIsDry = false;
  }

  /** Options by name, typed: `sock.options.TCP_NODELAY = true`. */
  get options(): TypedOptions {
    return typedOptions(this);
  }

  /** setsockopt with a struct sock_fprog that points to these instructions. @internal */
  setProgram(level: number, name: number, instructions: Uint8Array): void {
    const result = this.engine.backend.calls.setsockopt_program(
      this.open("setsockopt"),
      level,
      name,
      instructions,
      0,
      instructions.length,
    );
    this.#done("setsockopt", [level, name], result);
  }

  #done(syscall: string, [level, name]: readonly [number, number], result: number): number {
    if (result >= 0) return result;
    throw new SocketError(syscall, result, {
      ...this.ends(),
      hint: optionHint(this.family, level, name, -result),
    });
  }
}

function valueBytes(level: number, value: number | boolean | ArrayBufferView): Uint8Array {
  if (ArrayBuffer.isView(value)) return bytesOf("value", value);
  if (typeof value !== "number" && typeof value !== "boolean")
    throw invalidArgument("value", "a number, a boolean, an ArrayBufferView or null", value);
  if (level === AF_VSOCK) {
    const wide = checkInteger("value", Number(value), 0, Number.MAX_SAFE_INTEGER);
    integerView.setBigUint64(0, BigInt(wide), LITTLE_ENDIAN);
    return integer;
  }
  integerView.setInt32(0, checkInt("value", Number(value)), LITTLE_ENDIAN);
  return integer.subarray(0, INT_BYTES);
}
