// The routers on the way to a host, as traceroute(8) finds them and without a privilege: datagrams that live longer and longer,
// and the errors that come back, each with the address of the router that dropped one.
//
//   node traceroute.js HOST [HOPS]
import { AF_INET6, ECONNREFUSED, SOCK_DGRAM, TimeoutError, getaddrinfo, socket } from "berkeley";
import type { Address, Socket } from "berkeley";

/** Where nobody listens, by the custom of traceroute(8); each datagram goes to a port of its own, so that answers tell it. */
const FIRST_PORT = 33_434;
const SECONDS = 2;

/** Sends one datagram; an answer that came too late for an earlier one may fail it once. */
async function probe(sock: Socket, to: Address): Promise<void> {
  await sock.sendto("", to).catch(() => sock.sendto("", to));
}

/** Who dropped the datagram to this port, and whether it was the host itself; undefined: nobody said so in time. */
async function answer(sock: Socket, port: number): Promise<{ who: string; there: boolean } | undefined> {
  try {
    for (;;) {
      const { error, address } = await sock.recv_error();
      if (address?.[1] === port)
        return { who: error.offender?.[0] ?? "this machine", there: error.errno === ECONNREFUSED };
    }
  } catch (error) {
    if (error instanceof TimeoutError) return undefined;
    throw error;
  }
}

const [host = "localhost", hops = "30"] = process.argv.slice(2);
const [found] = await getaddrinfo(host, null, { type: SOCK_DGRAM });
if (found === undefined) throw new Error(`${host} has no address`);
const [family, , , , [target]] = found;
using sock = socket(family, SOCK_DGRAM);
sock.settimeout(SECONDS);
const { options } = sock;
if (family === AF_INET6) options.IPV6_RECVERR = true;
else options.IP_RECVERR = true;
for (let hop = 1; hop <= Number(hops); hop++) {
  if (family === AF_INET6) options.IPV6_UNICAST_HOPS = hop;
  else options.IP_TTL = hop;
  const port = FIRST_PORT + hop;
  const begun = performance.now();
  await probe(sock, family === AF_INET6 ? [target, port, 0, 0] : [target, port]);
  const heard = await answer(sock, port);
  console.log(
    heard === undefined ? `${hop} *` : `${hop} ${heard.who} ${(performance.now() - begun).toFixed(3)} ms`,
  );
  if (heard?.there === true) break;
}
