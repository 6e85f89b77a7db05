// The Forking servers: as those of servers.ts, with each request in a thread that handles one at a time and is used again, so
// many at once as CPython has processes. They take the URL of the handlers' module in place of the class.

import type { Address, AnyAddress, UnixAddress } from "../../index.ts";
import { TCPServer, UDPServer, UnixDatagramServer, UnixStreamServer } from "./servers.ts";

/** As CPython's ForkingMixIn has it. */
const MAX_CHILDREN = 40;

/** A TCPServer that handles each request in a thread, one at a time. Its handlers are the default export of a module. */
export class ForkingTCPServer<A extends AnyAddress = Address> extends TCPServer<A> {
  static override concurrent_requests: boolean = true;
  static override max_children: number = MAX_CHILDREN;

  constructor(server_address: AnyAddress, module: URL, bind_and_activate?: boolean) {
    super(server_address, module, bind_and_activate);
  }
}

/** A UDPServer that handles each request in a thread, one at a time. Its handlers are the default export of a module. */
export class ForkingUDPServer<A extends AnyAddress = Address> extends UDPServer<A> {
  static override concurrent_requests: boolean = true;
  static override max_children: number = MAX_CHILDREN;

  constructor(server_address: AnyAddress, module: URL, bind_and_activate?: boolean) {
    super(server_address, module, bind_and_activate);
  }
}

/** A UnixStreamServer that handles each request in a thread, one at a time. Its handlers are the default export of a module. */
export class ForkingUnixStreamServer extends UnixStreamServer {
  static override concurrent_requests: boolean = true;
  static override max_children: number = MAX_CHILDREN;

  constructor(server_address: UnixAddress, module: URL, bind_and_activate?: boolean) {
    super(server_address, module, bind_and_activate);
  }
}

/** A UnixDatagramServer that handles each request in a thread, one at a time. Its handlers are the default export of a module. */
export class ForkingUnixDatagramServer extends UnixDatagramServer {
  static override concurrent_requests: boolean = true;
  static override max_children: number = MAX_CHILDREN;

  constructor(server_address: UnixAddress, module: URL, bind_and_activate?: boolean) {
    super(server_address, module, bind_and_activate);
  }
}
