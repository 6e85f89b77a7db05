// The loop of CPython's socketserver and its hooks: a request is got, verified, processed and shut down. What a request is,
// the servers say (servers.ts); what is done with it, a handler (handlers.ts).
//
// Names, order and defaults are those of CPython's documentation. What waits gives a promise. What CPython has as class
// attributes are static members, which a subclass overrides and a program may set: `TCPServer.allow_reuse_address = true`;
// each server takes them over as it is made, and reads its own from then on.
//
// In place of mixins there are two choices. Whether requests are handled in turn or many at once: `concurrent_requests`, a
// member as the others. Where: a handler class works on this thread's event loop, where one that waits lets others go on; a
// module's URL in its place has each request handled in a thread of its own (crew.ts). ThreadingMixIn is the one, ForkingMixIn
// the other, and CPython's combined classes (ThreadingTCPServer, ForkingUDPServer …) are subclasses that choose. A mixin in
// TypeScript is a function that makes a class, whose type has to be written out by hand: two choices are less to read.

import { startTimer, stopTimer } from "../../engine/clock.ts";
import type { Address, AnyAddress } from "../../index.ts";
import { SocketError, TimeoutError } from "../../index.ts";
import { readable } from "../../selectors/index.ts";
import { acceptPause } from "../../socket/accept-errors.ts";
import { invalidArgument } from "../../socket/errors.ts";
import { formatAddress } from "../../socket/address/format.ts";
import { TIMEOUT_MS_MAX, checkTimeout } from "../../socket/base.ts";
import { Bell } from "../bell.ts";
import { handleWith } from "./handlers.ts";
import type { BaseRequestHandler } from "./handlers.ts";

/** Makes a handler for one request. */
export type RequestHandlerClass<R, A extends AnyAddress, S> = new (
  request: R,
  client_address: A,
  server: S,
) => Pick<BaseRequestHandler<R, A>, "setup" | "handle" | "finish">;

/** The superclass of all servers. */
export abstract class BaseServer<R, A extends AnyAddress = Address> implements AsyncDisposable {
  /** Seconds that handle_request() waits for a request; `null`: as long as it takes. */
  static timeout: number | null = null;
  /** Whether many requests are handled at once; otherwise the next is got when one is done. */
  static concurrent_requests: boolean = false;
  /**
   * How many; who comes then waits in the kernel's queue. CPython's ThreadingMixIn has no such limit, and its ForkingMixIn
   * one of 40, as the Forking servers here.
   */
  static max_children: number = 512;
  /** Whether server_close() waits for requests that are being processed. */
  static block_on_close: boolean = true;
  /** As block_on_close = false. Threads that hold a process alive there are none. */
  static daemon_threads: boolean = false;

  readonly RequestHandlerClass: RequestHandlerClass<R, A, this>;
  /** Where it listens; once bound, with the port that the system picked. */
  server_address: AnyAddress;
  timeout: number | null;
  concurrent_requests: boolean;
  max_children: number;
  block_on_close: boolean;
  daemon_threads: boolean;

  readonly #pause = acceptPause();
  /** The loop that runs, and when it is over. */
  #loop: { readonly stop: AbortController; readonly over: Promise<void> } | undefined;
  #running = 0;
  readonly #ended = new Bell();

  /** Binds nothing: see TCPServer. */
  constructor(server_address: AnyAddress, RequestHandlerClass: RequestHandlerClass<R, A, never>) {
    if (typeof RequestHandlerClass !== "function")
      throw invalidArgument("RequestHandlerClass", "a class", RequestHandlerClass);
    this.server_address = server_address;
    this.RequestHandlerClass = RequestHandlerClass as RequestHandlerClass<R, A, this>;
    const { timeout, concurrent_requests, max_children, block_on_close, daemon_threads } = new.target;
    this.timeout = checkTimeout(timeout);
    this.concurrent_requests = concurrent_requests;
    this.max_children = max_children;
    this.block_on_close = block_on_close;
    this.daemon_threads = daemon_threads;
  }

  /** The descriptor to wait on, until it is readable, before get_request(). -1 once closed. */
  abstract fileno(): number;

  /** Gets a request, waiting for it: what it is, and the peer's address. */
  abstract get_request(): Promise<[request: R, client_address: A]>;

  /** Binds the server's socket. Here it does nothing. */
  server_bind(): void {}

  /** Makes the server ready for requests. Here it does nothing. */
  server_activate(): void {}

  /**
   * Handles requests until shutdown() or server_close().
   *
   * @param poll_interval  seconds between two calls of service_actions() in which nothing comes. (CPython also looks every
   *   so often for a shutdown; here that is told at once.)
   * @throws {SocketError} get_request() failed for good. @throws {TypeError} ERR_INVALID_STATE: it runs already.
   */
  async serve_forever(poll_interval: number = 0.5): Promise<void> {
    if (this.#loop !== undefined)
      throw Object.assign(new TypeError("serve_forever() runs already"), { code: "ERR_INVALID_STATE" });
    const ms = Math.min((checkTimeout(poll_interval) as number) * 1000, TIMEOUT_MS_MAX);
    const stop = new AbortController();
    let over: () => void = () => {};
    this.#loop = { stop, over: new Promise((resolve) => (over = resolve)) };
    try {
      while (!stop.signal.aborted && this.fileno() >= 0) {
        const comes = await this.#comes(ms, stop.signal);
        if (stop.signal.aborted) break;
        if (comes) await this.#handleOne(stop.signal);
        this.service_actions();
      }
    } finally {
      this.#loop = undefined;
      over();
    }
  }

  /** Ends serve_forever(), and waits until it has ended: in turn, until the request that is being handled is done. */
  async shutdown(): Promise<void> {
    const loop = this.#loop;
    loop?.stop.abort();
    await loop?.over;
  }

  /** Called by serve_forever() after each request and each poll_interval. Here it does nothing. */
  service_actions(): void {}

  /**
   * Handles one request, waiting for it at most `timeout` seconds (or the socket's own timeout, if that is shorter); then
   * it calls handle_timeout() instead.
   */
  async handle_request(): Promise<void> {
    const own = this.request_timeout();
    const seconds = Math.min(own ?? Infinity, this.timeout ?? Infinity);
    if (await this.#comes(Math.min(seconds * 1000, TIMEOUT_MS_MAX), new AbortController().signal))
      await this.#handleOne(undefined);
    else this.handle_timeout();
  }

  /** The timeout of the server's socket. @internal */
  protected request_timeout(): number | null {
    return null;
  }

  /** Called by handle_request() when its time is up. Here it does nothing. */
  handle_timeout(): void {}

  /** Whether a request is to be processed. Here: always. */
  verify_request(_request: R, _client_address: A): boolean | Promise<boolean> {
    return true;
  }

  /** Has a request finished and shut down: in turn it waits for that, otherwise only for a place below max_children. */
  async process_request(request: R, client_address: A): Promise<void> {
    if (!this.concurrent_requests) {
      await this.finish_request(request, client_address);
      await this.shutdown_request(request);
      return;
    }
    void this.#processAside(request, client_address);
    while (this.#running >= this.max_children) await this.#ended.next();
  }

  async #processAside(request: R, client_address: A): Promise<void> {
    this.#running++;
    try {
      await this.finish_request(request, client_address);
    } catch (error) {
      this.handle_error(request, client_address, error);
    } finally {
      await this.shutdown_request(request);
      this.#running--;
      this.#ended.ring();
    }
  }

  /** Makes an instance of RequestHandlerClass and has it handle the request. */
  async finish_request(request: R, client_address: A): Promise<void> {
    await handleWith(new this.RequestHandlerClass(request, client_address, this));
  }

  /** Ends a request orderly, and closes it. Here it closes it. */
  async shutdown_request(request: R): Promise<void> {
    this.close_request(request);
  }

  /** Closes what a request holds. Here it does nothing. */
  close_request(_request: R): void {}

  /**
   * Told what a handler threw. Here: a process warning, code BERKELEY_HANDLER, with the stack as its detail.
   *
   * @param error  what sys.exc_info() tells in CPython.
   */
  handle_error(_request: R, client_address: A, error: unknown): void {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    const whom = formatAddress(client_address) || "a peer without a name";
    process.emitWarning(`the handler of a request from ${whom} failed: ${message}`, {
      code: "BERKELEY_HANDLER",
      detail: stack ?? "",
    });
  }

  /** Closes the server; unless daemon_threads is set or block_on_close is not, it waits for the requests that run. */
  async server_close(): Promise<void> {
    this.#loop?.stop.abort();
    this.close_socket();
    if (this.daemon_threads || !this.block_on_close) return;
    while (this.#running > 0) await this.#ended.next();
  }

  /** Closes the server's socket. @internal */
  protected close_socket(): void {}

  /** As `with` in CPython: server_close(). */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.server_close();
  }

  /** Whether a request came within the time. */
  async #comes(ms: number, stop: AbortSignal): Promise<boolean> {
    const wait = new AbortController();
    const end = (): void => wait.abort();
    const timer = ms < TIMEOUT_MS_MAX ? startTimer(ms, end) : undefined;
    stop.addEventListener("abort", end);
    try {
      await readable(this.fileno(), { signal: wait.signal });
      return true;
    } catch (error) {
      if (wait.signal.aborted) return false;
      throw error;
    } finally {
      stopTimer(timer);
      stop.removeEventListener("abort", end);
    }
  }

  /** One request that is there, or was: another process or thread may have taken it. */
  async #handleOne(stop: AbortSignal | undefined): Promise<void> {
    let got: [R, A];
    try {
      got = await this.get_request();
    } catch (error) {
      if (stop?.aborted === true || error instanceof TimeoutError || this.fileno() < 0) return;
      if (!(error instanceof SocketError)) throw error;
      await this.#ended.next(Math.max(1, this.#pause.after(error)));
      return;
    }
    this.#pause.recovered();
    const [request, client_address] = got;
    try {
      if (await this.verify_request(request, client_address))
        await this.process_request(request, client_address);
      else await this.shutdown_request(request);
    } catch (error) {
      this.handle_error(request, client_address, error);
      await this.shutdown_request(request);
    }
  }
}
