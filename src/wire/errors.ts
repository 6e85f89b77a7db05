// The errors of protocols: a conversation that broke its rules, and whose fault that was. Made by parsers, writers and
// state tables, all of which are pure. It knows no protocol and no socket.

/** What a protocol's error tells besides its code and sentence. */
export interface ProtocolErrorOptions {
  /** What led to it. */
  cause?: unknown;
}

/** A conversation broke its protocol's rules. One of its two kinds says whose fault that was. */
export abstract class ProtocolError extends Error {
  static {
    ProtocolError.prototype.name = "ProtocolError";
  }
  /** ERR_…; each one is documented where it is thrown. */
  readonly code: string;

  /**
   * @param code     ERR_…
   * @param message  what was wrong, with the limit or the bytes that show it.
   */
  constructor(code: string, message: string, options?: ProtocolErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** This side would have broken the rules: a bug in the program, or in us. Nothing was sent. */
export class LocalProtocolError extends ProtocolError {
  static {
    LocalProtocolError.prototype.name = "LocalProtocolError";
  }
}

/** The peer broke the rules, went over a limit, or ended in the midst of something. */
export class RemoteProtocolError extends ProtocolError {
  static {
    RemoteProtocolError.prototype.name = "RemoteProtocolError";
  }
}
