// What a message to the kernel's cryptography says besides its bytes: the operation, the initialization vector, the
// associated data. It makes control messages of them and no call. Documentation/crypto/userspace-if.rst.

import { ALG_SET_AEAD_ASSOCLEN, ALG_SET_IV, ALG_SET_OP, SOL_ALG } from "../constants/index.ts";
import { writeU32 } from "./address/view.ts";
import type { Ancillary } from "./ancillary.ts";
import { checkInteger } from "./base.ts";
import { lengthOf } from "./bytes.ts";
import { outOfRange } from "./errors.ts";
import type { WaitOptions } from "./face.ts";

/** What `sendmsg_afalg` takes last. */
export interface AlgOptions extends WaitOptions {
  /** ALG_OP_ENCRYPT, ALG_OP_DECRYPT, ALG_OP_SIGN or ALG_OP_VERIFY. */
  op: number;
  /** The initialization vector, as long as the algorithm wants it. */
  iv?: Uint8Array | undefined;
  /** Of an "aead": how many of the bytes are authenticated and not encrypted. */
  assoclen?: number | undefined;
  /** MSG_* bits: MSG_MORE says that more bytes follow. Default 0. */
  flags?: number | undefined;
}

/** Longer than any cipher's; the kernel refuses one that is not its algorithm's. */
const IV_BYTES_MAX = 4096;

function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  writeU32(bytes, 0, value);
  return bytes;
}

/**
 * The control messages of an operation.
 *
 * @throws {TypeError} ERR_INVALID_ARG_TYPE, @throws {RangeError} ERR_OUT_OF_RANGE: what is wrong with which option.
 */
export function algAncillary({ op, iv, assoclen }: AlgOptions): Ancillary[] {
  const ancdata: Ancillary[] = [[SOL_ALG, ALG_SET_OP, word(checkInteger("options.op", op, 0, 0xffff_ffff))]];
  if (iv !== undefined) {
    const length = lengthOf("options.iv", iv);
    if (length > IV_BYTES_MAX) throw outOfRange("options.iv", `at most ${IV_BYTES_MAX} bytes long`, length);
    // struct af_alg_iv: its length, then the vector.
    const vector = new Uint8Array(4 + length);
    writeU32(vector, 0, length);
    vector.set(iv, 4);
    ancdata.push([SOL_ALG, ALG_SET_IV, vector]);
  }
  if (assoclen !== undefined)
    ancdata.push([
      SOL_ALG,
      ALG_SET_AEAD_ASSOCLEN,
      word(checkInteger("options.assoclen", assoclen, 0, 0xffff_ffff)),
    ]);
  return ancdata;
}
