// Asks what its standard input says (JSON: [function, ...arguments] each) and prints the answers. Run by hosts.test.ts
// in a namespace where hosts and networks are the test's.

import { json } from "node:stream/consumers";
import { getaddrinfo, getfqdn, gethostbyaddr, gethostbyname, gethostbyname_ex, getnameinfo } from "berkeley";
import type { Address } from "berkeley";
import {
  getfqdn_sync,
  gethostbyaddr_sync,
  gethostbyname_ex_sync,
  gethostbyname_sync,
} from "#dist/socket/names/hosts.js";
import { getaddrinfo_sync, getnameinfo_sync } from "#dist/socket/names/addresses.js";

type Call = (...values: never[]) => unknown;

const calls: Record<string, [Call, Call]> = {
  getaddrinfo: [
    (
      host: string | null,
      port: string | number | null,
      family: number,
      type: number,
      proto: number,
      flags: number,
    ) => getaddrinfo(host, port, { family, type, proto, flags }),
    (
      host: string | null,
      port: string | number | null,
      family: number,
      type: number,
      proto: number,
      flags: number,
    ) => getaddrinfo_sync(host, port, { family, type, proto, flags }),
  ],
  getnameinfo: [
    (address: Address, flags: number) => getnameinfo(address, flags),
    (address: Address, flags: number) => getnameinfo_sync(address, flags),
  ],
  gethostbyname: [gethostbyname, gethostbyname_sync],
  gethostbyname_ex: [gethostbyname_ex, gethostbyname_ex_sync],
  gethostbyaddr: [gethostbyaddr, gethostbyaddr_sync],
  getfqdn: [getfqdn, getfqdn_sync],
};

async function outcome(call: () => unknown): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    const { code, errno } = error as { code: string; errno: number };
    if (code.startsWith("EAI_")) return ["gaierror", errno];
    return [/^(HOST_NOT_FOUND|TRY_AGAIN|NO_)/.test(code) ? "herror" : code, errno];
  }
}

const answers: unknown[] = [];
for (const [name, ...values] of (await json(process.stdin)) as [string, ...never[]][]) {
  const [wait, now] = calls[name] as [Call, Call];
  answers.push([await outcome(() => wait(...values)), await outcome(() => now(...values))]);
}
console.log(JSON.stringify(answers));
