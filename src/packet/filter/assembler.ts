// Classic BPF from a graph of tests. A test loads a value, compares it, and goes to one of two targets; targets exist
// before the tests that go to them, so instructions are laid out from the end backwards, and every distance is known
// when a jump is written. It knows no packets. Documentation/networking/filter.rst, bpf(4).

/** One instruction: struct sock_filter. */
export interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

const LD = 0x00;
const LDX = 0x01;
const JMP = 0x05;
const RET = 0x06;
const ALU_AND = 0x54;
const ABS = 0x20;
const IND = 0x40;
const LEN = 0x80;
const MSH = 0xa0;
const WIDTHS = { 1: 0x10, 2: 0x08, 4: 0x00 } as const;
const COMPARISONS = { equal: 0x10, greater: 0x20, greaterOrEqual: 0x30, anyBit: 0x40 } as const;
const JUMP_MAX = 255;

/** How many bytes a load takes. */
export type Width = keyof typeof WIDTHS;
/** How the value is compared with a constant. */
export type Comparison = keyof typeof COMPARISONS;

const instruction = (code: number, k: number): Instruction => ({ code, jt: 0, jf: 0, k: k >>> 0 });

/** A := bytes of the packet at `at`. */
export const load = (width: Width, at: number): Instruction => instruction(LD | ABS | WIDTHS[width], at);
/** A := bytes of the packet at X + `at`. */
export const loadIndexed = (width: Width, at: number): Instruction =>
  instruction(LD | IND | WIDTHS[width], at);
/** A := the packet's length. */
export const loadLength: Instruction = instruction(LD | LEN, 0);
/** X := four times the lower half of the byte at `at`: an IPv4 header's length. */
export const loadHeaderLength = (at: number): Instruction => instruction(LDX | MSH | WIDTHS[1], at);
/** A := A & mask. */
export const mask = (bits: number): Instruction => instruction(ALU_AND, bits);

/** A place in the program: so many instructions follow its first. */
export type Target = number;

/** A program while it is being laid out, its end first. */
export class Program {
  readonly #reversed: Instruction[] = [];

  #push(made: Instruction): void {
    this.#reversed.push(made);
  }

  #place(): Target {
    return this.#reversed.length - 1;
  }

  /** The program ends here: so many bytes of the packet are kept. 0: none, it does not pass. */
  end(bytes: number): Target {
    this.#push(instruction(RET, bytes));
    return this.#place();
  }

  /** A test: loads, compares with `k`, goes on at `yes` or `no`. */
  test(loads: readonly Instruction[], comparison: Comparison, k: number, yes: Target, no: Target): Target {
    // A jump that is too far goes by one that is not bounded, right behind the test.
    const distance = (target: Target): number => this.#reversed.length - 1 - target;
    const near = (target: Target, behind: number): Target => {
      if (distance(target) + behind <= JUMP_MAX) return target;
      this.#push(instruction(JMP, distance(target)));
      return this.#place();
    };
    const farNo = near(no, 1);
    const farYes = near(yes, 0);
    this.#push({
      code: JMP | COMPARISONS[comparison],
      jt: distance(farYes),
      jf: distance(farNo),
      k: k >>> 0,
    });
    for (const one of loads.toReversed()) this.#push(one);
    return this.#place();
  }

  /** The instructions, first to last, if the program begins at `start`, which must be the newest test or the only end. */
  instructions(start: Target): Instruction[] {
    return this.#reversed.slice(0, start + 1).toReversed();
  }
}
