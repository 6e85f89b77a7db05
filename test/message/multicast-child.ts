// The multicast cases for both families, on the interface that the first argument names; in a network namespace of their
// own, where it is the only one besides loopback.

import { AF_INET, AF_INET6, if_nametoindex } from "berkeley";
import { multicastCases } from "./multicast-cases.ts";

const [, , name = "lo", ipv4 = "", other4 = "", ipv6 = "", other6 = ""] = process.argv;
const index = if_nametoindex(name);

multicastCases("IPv4", {
  family: AF_INET,
  index,
  group: "239.1.2.3",
  otherGroup: "239.3.2.1",
  sources: [ipv4, other4],
});
multicastCases("IPv6", {
  family: AF_INET6,
  index,
  group: "ff15::1234",
  otherGroup: "ff15::4321",
  sources: [ipv6, other6],
});
