// The files that makefile() makes, per face: `for await` over lines and `await using` where calls give promises, `for`
// and `using` where they give values. What a file does is told in raw.ts, binary.ts and text.ts.

import type { Face } from "../face.ts";
import { BinaryFileOf } from "./binary.ts";
import { RawFileOf } from "./raw.ts";
import { TextFileOf } from "./text.ts";

export type { FileIo } from "./base.ts";

/** The lines of a file, until the peer has ended. */
function linesOf<Line extends { readonly length: number }>(file: {
  readline(): Promise<Line>;
}): AsyncIterableIterator<Line> {
  return {
    async next() {
      const value = await file.readline();
      return value.length > 0 ? { value, done: false } : { value: undefined, done: true };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function* linesNow<Line extends { readonly length: number }>(file: {
  readline(): Line;
}): Generator<Line, void, void> {
  for (let line = file.readline(); line.length > 0; line = file.readline()) yield line;
}

/** A file of bytes without buffers, from makefile() with `buffering: 0`. */
export class RawFile extends RawFileOf<"async"> implements AsyncIterable<Buffer>, AsyncDisposable {
  /** The lines, each as readline() gives it. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer> {
    return linesOf(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** A buffered file of bytes, from makefile() with a mode with "b". */
export class BinaryFile extends BinaryFileOf<"async"> implements AsyncIterable<Buffer>, AsyncDisposable {
  /** The lines, each as readline() gives it. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer> {
    return linesOf(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** A file of text, from makefile() with a mode without "b". */
export class TextFile extends TextFileOf<"async"> implements AsyncIterable<string>, AsyncDisposable {
  /** The lines, each as readline() gives it. */
  [Symbol.asyncIterator](): AsyncIterableIterator<string> {
    return linesOf(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** As RawFile, of a socket that blocks. */
export class RawFileNow extends RawFileOf<"sync"> implements Iterable<Buffer>, Disposable {
  /** The lines, each as readline() gives it. */
  [Symbol.iterator](): Generator<Buffer, void, void> {
    return linesNow(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** As BinaryFile, of a socket that blocks. */
export class BinaryFileNow extends BinaryFileOf<"sync"> implements Iterable<Buffer>, Disposable {
  /** The lines, each as readline() gives it. */
  [Symbol.iterator](): Generator<Buffer, void, void> {
    return linesNow(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** As TextFile, of a socket that blocks. */
export class TextFileNow extends TextFileOf<"sync"> implements Iterable<string>, Disposable {
  /** The lines, each as readline() gives it. */
  [Symbol.iterator](): Generator<string, void, void> {
    return linesNow(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** The files of each face. */
interface FilesByFace {
  readonly async: { readonly raw: RawFile; readonly binary: BinaryFile; readonly text: TextFile };
  readonly sync: { readonly raw: RawFileNow; readonly binary: BinaryFileNow; readonly text: TextFileNow };
}

/** What makefile() returns, by face. */
export type Files<F extends Face> = FilesByFace[F];

/** The classes of those files. */
export interface FileClasses<F extends Face> {
  readonly raw: new (...args: ConstructorParameters<typeof RawFileOf<F>>) => Files<F>["raw"];
  readonly binary: new (...args: ConstructorParameters<typeof BinaryFileOf<F>>) => Files<F>["binary"];
  readonly text: new (...args: ConstructorParameters<typeof TextFileOf<F>>) => Files<F>["text"];
}

/** For berkeley. */
export const FILES: FileClasses<"async"> = { raw: RawFile, binary: BinaryFile, text: TextFile };
/** For berkeley/sync. */
export const FILES_NOW: FileClasses<"sync"> = { raw: RawFileNow, binary: BinaryFileNow, text: TextFileNow };
