// The system calls that a Socket makes, answered by simulated hosts: descriptors become sockets, bytes become addresses.
// What Linux would do with such a call on such a socket, it does or refuses; nothing here waits.

import {
  AF_INET,
  AF_INET6,
  AF_UNSPEC,
  EADDRNOTAVAIL,
  EAFNOSUPPORT,
  EBADF,
  EDESTADDRREQ,
  EFAULT,
  EINVAL,
  EMFILE,
  ENOSYS,
  ENOTCONN,
  EOPNOTSUPP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  MSG_TRUNC,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
} from "../../constants/index.ts";
import type { SocketCalls } from "../../native/calls.ts";
import { MESSAGE_CONTROL_AT, MESSAGE_FLAGS_AT } from "../../native/messages.ts";
import { decodeAddress, encodeAddress, makeAddressView } from "../../socket/address.ts";
import { readFamily, writeLength, writeU32 } from "../../socket/address/view.ts";
import { DatagramSocket } from "./datagram-socket.ts";
import type { Endpoint, HostState } from "./host.ts";
import { checkFamily } from "./socket.ts";
import type { SimulatedSocket } from "./socket.ts";
import { StreamSocket } from "./stream-socket.ts";

/** Numbers begin above every real descriptor of the process, so that one taken for the other is refused. */
const FIRST_FD = 2 ** 30;

/** As RLIMIT_NOFILE of a usual system; getrlimit(2). */
const DESCRIPTORS_MAX = 65_536;

/** The descriptors of a simulation, and the calls on them. */
export class SimulatedCalls implements SocketCalls {
  readonly open: Map<number, SimulatedSocket> = new Map();
  readonly #currentHost: () => HostState | undefined;
  readonly #view = makeAddressView();
  #next = FIRST_FD;

  constructor(currentHost: () => HostState | undefined) {
    this.#currentHost = currentHost;
  }

  socket(family: number, type: number, proto: number): number {
    const host = this.#currentHost();
    if (host === undefined) return -EADDRNOTAVAIL;
    if (family !== AF_INET && family !== AF_INET6) return -EAFNOSUPPORT;
    const kind = type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (kind === SOCK_STREAM && (proto === 0 || proto === IPPROTO_TCP))
      return this.#give(new StreamSocket(host, family, IPPROTO_TCP));
    if (kind === SOCK_DGRAM && (proto === 0 || proto === IPPROTO_UDP))
      return this.#give(new DatagramSocket(host, family, IPPROTO_UDP));
    return -EOPNOTSUPP;
  }

  bind(fd: number, address: Uint8Array, offset: number, length: number): number {
    return this.#addressed(fd, address, offset, length, (socket, to) => socket.bind(to));
  }

  connect(fd: number, address: Uint8Array, offset: number, length: number): number {
    const socket = this.open.get(fd);
    if (socket instanceof DatagramSocket && readFamily(address.subarray(offset)) === AF_UNSPEC) {
      socket.disconnect();
      return 0;
    }
    return this.#addressed(fd, address, offset, length, (at, to) => at.connect(anyToLocal(to)));
  }

  listen(fd: number, backlog: number): number {
    return this.#on(fd, (socket) => socket.listen(backlog));
  }

  accept(fd: number, address: Uint8Array): number {
    return this.#on(fd, (socket) => {
      const conn = socket.accept();
      if (typeof conn === "number") return conn;
      const result = this.#give(conn);
      this.#tell(conn, conn.remote, address);
      return result;
    });
  }

  accept_nameless(fd: number): number {
    return this.accept(fd, this.#view);
  }

  recv(fd: number, into: ArrayBufferView, offset: number, length: number, flags: number): number {
    return this.#on(fd, (socket) => {
      const { count, whole } = socket.receive(slice(into, offset, length), flags);
      return (flags & MSG_TRUNC) !== 0 && whole !== undefined ? whole : count;
    });
  }

  send(fd: number, from: ArrayBufferView, offset: number, length: number): number {
    return this.#on(fd, (socket) => socket.send(slice(from, offset, length), undefined));
  }

  recvfrom(
    fd: number,
    into: ArrayBufferView,
    offset: number,
    length: number,
    flags: number,
    address: Uint8Array,
  ): number {
    return this.#on(fd, (socket) => {
      const { count, from, whole } = socket.receive(slice(into, offset, length), flags);
      this.#tell(socket, from, address);
      return (flags & MSG_TRUNC) !== 0 && whole !== undefined ? whole : count;
    });
  }

  sendto(
    fd: number,
    from: ArrayBufferView,
    offset: number,
    length: number,
    flags: number,
    address: Uint8Array,
    addressLength: number,
  ): number {
    void flags;
    return this.#addressed(fd, address, 0, addressLength, (socket, to) =>
      socket.send(slice(from, offset, length), anyToLocal(to)),
    );
  }

  recvmsg(
    fd: number,
    into: readonly ArrayBufferView[],
    message: Uint8Array,
    _control: Uint8Array,
    _controlLength: number,
    flags: number,
  ): number {
    return this.#on(fd, (socket) => {
      const views = into.map((view) => slice(view, 0, view.byteLength));
      const joined = Buffer.alloc(views.reduce((sum, view) => sum + view.length, 0));
      const { count, from, whole = count } = socket.receive(joined, flags);
      if (count < 0) return count;
      let at = 0;
      for (const view of views) {
        view.set(joined.subarray(at, Math.min(at + view.length, count)));
        at += view.length;
      }
      this.#tell(socket, from, message);
      writeU32(message, MESSAGE_FLAGS_AT, whole > count ? MSG_TRUNC : 0);
      writeU32(message, MESSAGE_CONTROL_AT, 0);
      return (flags & MSG_TRUNC) !== 0 ? whole : count;
    });
  }

  sendmsg(
    fd: number,
    from: readonly ArrayBufferView[],
    address: Uint8Array,
    addressLength: number,
    _control: Uint8Array,
    controlLength: number,
  ): number {
    if (controlLength > 0) return -EINVAL;
    const joined = (): Buffer => Buffer.concat(from.map((view) => slice(view, 0, view.byteLength)));
    if (addressLength === 0) return this.#on(fd, (socket) => socket.send(joined(), undefined));
    return this.#addressed(fd, address, 0, addressLength, (socket, to) =>
      socket.send(joined(), anyToLocal(to)),
    );
  }

  /** As a kernel without it: batches then receive by recvmsg. */
  recvmmsg(): number {
    return -ENOSYS;
  }

  sendmmsg(): number {
    return -ENOSYS;
  }

  shutdown(fd: number, how: number): number {
    return this.#on(fd, (socket) => socket.shutdown(how));
  }

  getsockname(fd: number, address: Uint8Array): number {
    return this.#on(fd, (socket) => {
      const nowhere = { host: socket.family === AF_INET ? "0.0.0.0" : "::", port: 0 };
      this.#tell(socket, socket.local ?? nowhere, address);
      return 0;
    });
  }

  getpeername(fd: number, address: Uint8Array): number {
    return this.#on(fd, (socket) => {
      if (socket.remote === undefined) return -ENOTCONN;
      this.#tell(socket, socket.remote, address);
      return 0;
    });
  }

  getsockopt(
    fd: number,
    level: number,
    name: number,
    into: Uint8Array,
    offset: number,
    length: number,
  ): number {
    return this.#on(fd, (socket) => {
      const value = socket.getOption(level, name);
      if (typeof value === "number") return value;
      const count = Math.min(length, value.length);
      into.set(value.subarray(0, count), offset);
      return count;
    });
  }

  setsockopt(
    fd: number,
    level: number,
    name: number,
    from: Uint8Array,
    offset: number,
    length: number,
  ): number {
    return this.#on(fd, (socket) => socket.setOption(level, name, from.subarray(offset, offset + length)));
  }

  close(fd: number): number {
    return this.#on(fd, (socket) => {
      this.open.delete(fd);
      socket.close();
      return 0;
    });
  }

  // Descriptors of a simulation are one process's alone: there is nothing to inherit, to adopt or to hand over.
  get_inheritable(fd: number): number {
    return this.#on(fd, () => 0);
  }
  set_inheritable(fd: number, flag: number): number {
    return this.#on(fd, () => (flag === 0 ? 0 : -EOPNOTSUPP));
  }
  set_blocking(fd: number, flag: number): number {
    return this.#on(fd, () => (flag === 0 ? 0 : -EOPNOTSUPP));
  }
  adopt(fd: number): number {
    return this.#on(fd, () => 0);
  }
  disown(fd: number): number {
    return this.#on(fd, () => 0);
  }
  dup(): number {
    return -EOPNOTSUPP;
  }
  socketpair(): number {
    return -EOPNOTSUPP;
  }
  setsockopt_null(): number {
    return -EOPNOTSUPP;
  }
  setsockopt_program(): number {
    return -EOPNOTSUPP;
  }
  sockatmark(): number {
    return -EOPNOTSUPP;
  }
  siocinq(): number {
    return -EOPNOTSUPP;
  }
  siocoutq(): number {
    return -EOPNOTSUPP;
  }
  siocoutqnsd(): number {
    return -EOPNOTSUPP;
  }
  sendfile(): number {
    return -ENOSYS;
  }
  splice(): number {
    return -ENOSYS;
  }
  pipe(): number {
    return -ENOSYS;
  }
  set_pipe_size(): number {
    return -ENOSYS;
  }
  read(): number {
    return -ENOSYS;
  }

  /** A number for a descriptor that is no socket. */
  number(): number {
    return this.#next++;
  }

  #give(socket: SimulatedSocket): number {
    if (this.open.size >= DESCRIPTORS_MAX) {
      socket.close();
      return -EMFILE;
    }
    const fd = this.number();
    socket.fd = fd;
    this.open.set(fd, socket);
    return fd;
  }

  #on(fd: number, act: (socket: SimulatedSocket) => number): number {
    const socket = this.open.get(fd);
    if (socket === undefined) return -EBADF;
    try {
      return act(socket);
    } catch (error) {
      if (error instanceof BadMemory) return -EFAULT;
      throw error;
    }
  }

  #addressed(
    fd: number,
    address: Uint8Array,
    offset: number,
    length: number,
    act: (socket: SimulatedSocket, to: Endpoint) => number,
  ): number {
    return this.#on(fd, (socket) => {
      if (length === 0) return -EDESTADDRREQ;
      const view = this.#view;
      view.fill(0);
      view.set(address.subarray(offset, offset + length));
      writeLength(view, length);
      const wrong = checkFamily(socket, readFamily(view));
      if (wrong < 0) return wrong;
      const [host, port] = decodeAddress(view);
      return act(socket, { host, port });
    });
  }

  /** Writes an address as the kernel does; none: its length is 0. */
  #tell(socket: SimulatedSocket, endpoint: Endpoint | undefined, into: Uint8Array): void {
    const length =
      endpoint === undefined ? 0 : encodeAddress(socket.family, [endpoint.host, endpoint.port], into);
    writeLength(into, length);
  }
}

/** Connecting to every address means this host, ip(7). */
function anyToLocal(to: Endpoint): Endpoint {
  if (to.host === "0.0.0.0") return { host: "127.0.0.1", port: to.port };
  return to.host === "::" ? { host: "::1", port: to.port } : to;
}

/** Memory that was given away or shrunk while the call waited. */
class BadMemory extends Error {}

/** The memory that a call is given. */
function slice(view: ArrayBufferView, offset: number, length: number): Uint8Array {
  if (offset + length > view.byteLength) throw new BadMemory();
  return new Uint8Array(view.buffer, view.byteOffset + offset, length);
}
