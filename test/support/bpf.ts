// An interpreter of classic BPF, for what filters are compiled to: small, slow, and apart from the compiler. Loads beyond
// the packet end the program without a match, as in the kernel. bpf(4), Documentation/networking/filter.rst.

import type { Instruction } from "berkeley/packet";

/** A packet as a program sees it; `etherType` answers the kernel's ancillary load. */
export interface Seen {
  readonly bytes: Uint8Array;
  readonly etherType?: number;
}

/** How many bytes of the packet are kept; 0: it does not match. */
export function runFilter(program: readonly Instruction[], { bytes, etherType = 0 }: Seen): number {
  let a = 0;
  let x = 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const loaded = (code: number, at: number): number | undefined => {
    const width = { 0x10: 1, 0x08: 2, 0x00: 4 }[code & 0x18] as 1 | 2 | 4;
    if (at < 0 || at + width > bytes.length) return undefined;
    if (width === 1) return view.getUint8(at);
    return width === 2 ? view.getUint16(at) : view.getUint32(at);
  };
  for (let pc = 0; ; pc++) {
    const { code, jt, jf, k } = program[pc] as Instruction;
    switch (code & 7) {
      case 0: {
        const mode = code & 0xe0;
        if (mode === 0x80) a = bytes.length;
        else {
          const value = k === 0xffff_f000 ? etherType : loaded(code, mode === 0x40 ? x + k : k);
          if (value === undefined) return 0;
          a = value;
        }
        break;
      }
      case 1: {
        const value = loaded(0x10, k);
        if (value === undefined) return 0;
        x = (value & 15) * 4;
        break;
      }
      case 4:
        a = (a & k) >>> 0;
        break;
      case 5: {
        const op = code & 0xf0;
        if (op === 0) pc += k;
        else {
          const yes = op === 0x10 ? a === k : op === 0x20 ? a > k : op === 0x30 ? a >= k : (a & k) !== 0;
          pc += yes ? jt : jf;
        }
        break;
      }
      case 6:
        return k;
      default:
        throw new Error(`instruction ${code} is not expected`);
    }
  }
}
