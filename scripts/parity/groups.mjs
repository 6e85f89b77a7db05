// The tests of CPython's socket and selectors modules in groups, and which test files here hold the same promises. The
// numbers are those of CPython 3.11's test methods, inherited ones too, by class. A file belongs to one group.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Files of test/, without their ending. */
const tests = (text) =>
  text
    .trim()
    .split(/\s+/)
    .map((name) => `test/${name}.test.ts`);

export const GROUPS = [
  {
    name: "the module: names, numbers, options, making, closing, errors",
    classes: "GeneralModuleTests 74, CmsgMacroTests 2, TestExceptions 2",
    files:
      tests(`names/arguments names/constants names/errors names/hosts names/lookup names/numbers names/tables
      options/raw socket/making socket/misuse parity/enums parity/module parity/values sync/faces`),
    note: "pickling and weak references, which JavaScript has in other forms; `ioctl` and SIO_* of Windows; reference counts",
  },
  {
    name: "connections: receiving, sending, halves, pairs, duplicates",
    classes: "BasicTCPTest 10, BasicTCPTest2 10, BufferIOTest 8, TCPCloserTest 1, BasicSocketPairTest 3",
    files:
      tests(`socket/accept socket/address socket/module socket/transfer message/pair engine/close engine/order
      interop/python interop/rude interop/tools sync/calls sync/sharing parity/python parity/streams`),
  },
  {
    name: "datagrams: UDP, UDP-Lite",
    classes: "BasicUDPTest 3, BasicUDPLITETest 3",
    files: tests("message/datagram message/python-udp parity/datagrams"),
  },
  {
    name: "sendmsg, recvmsg, recvmsg_into",
    classes: `SendmsgUDPTest 11, RecvmsgUDPTest 11, RecvmsgIntoUDPTest 14, SendmsgUDP6Test 11, RecvmsgUDP6Test
      11, RecvmsgIntoUDP6Test 14, SendmsgUDPLITETest 11, RecvmsgUDPLITETest 11, RecvmsgIntoUDPLITETest
      14, SendmsgUDPLITE6Test 11, RecvmsgUDPLITE6Test 11, RecvmsgIntoUDPLITE6Test 14, SendmsgTCPTest 13,
      RecvmsgTCPTest 13, RecvmsgIntoTCPTest 16, SendmsgSCTPStreamTest 13, RecvmsgSCTPStreamTest 13,
      RecvmsgIntoSCTPStreamTest 16, SendmsgUnixStreamTest 13, RecvmsgUnixStreamTest 13,
      RecvmsgIntoUnixStreamTest 16`,
    files: tests("message/control parity/messages"),
    note: "SCTP, which the kernels that we test on do not have; MPTCP, Unix datagrams and seqpacket are more",
  },
  {
    name: "ancillary data, descriptor passing",
    classes: `RecvmsgRFC3542AncillaryUDP6Test 18, RecvmsgIntoRFC3542AncillaryUDP6Test 18,
      RecvmsgRFC3542AncillaryUDPLITE6Test 18, RecvmsgIntoRFC3542AncillaryUDPLITE6Test 18,
      RecvmsgSCMRightsStreamTest 18, RecvmsgIntoSCMRightsStreamTest 18, SendRecvFdsTests 1`,
    files: tests(`message/ancillary message/ancillary-fields message/descriptors message/packet-info
      message/peer-identity message/python-unix message/worker parity/ancillary parity/rights`),
  },
  {
    name: "makefile",
    classes: `FileObjectClassTestCase 10, UnbufferedFileObjectClassTestCase 15,
      LineBufferedFileObjectClassTestCase 10, SmallBufferedFileObjectClassTestCase 10,
      UnicodeReadFileObjectClassTestCase 10, UnicodeWriteFileObjectClassTestCase 10,
      UnicodeReadWriteFileObjectClassTestCase 10`,
    files: tests("file/decoding file/lines file/makefile file/python file/turns parity/files"),
    note: "`name`, `seekable()` and `isatty()` of Python's files: a number, false and false of every socket",
  },
  {
    name: "sendfile",
    classes: "SendfileUsingSendTest 11, SendfileUsingSendfileTest 11",
    files: tests("file/sendfile parity/sendfile"),
    note: "that CPython moves the file's position: ours is left where it was",
  },
  {
    name: "time: timeouts, non-blocking, interrupted calls",
    classes: `NonBlockingTCPTests 7, NonblockConstantTest 1, TCPTimeoutTest 3, UDPTimeoutTest 2,
      UDPLITETimeoutTest 2, InterruptedRecvTimeoutTest 6, InterruptedSendTimeoutTest 3`,
    files: tests(`socket/timeout engine/again engine/settlement sync/blocked sync/timeouts parity/timeouts`),
    note: "exceptions that a signal's handler throws into a blocked call: handlers of JavaScript run when the call is over",
  },
  {
    name: "create_connection, create_server, with statements",
    classes: `NetworkConnectionNoServer 4, NetworkConnectionAttributesTest 6, NetworkConnectionBehaviourTest 2,
      CreateServerTest 5, CreateServerFunctionalTest 4, ContextManagersTest 2`,
    files: tests("socket/create parity/creating engine/leaks"),
  },
  {
    name: "names of Unix sockets",
    classes: "TestLinuxAbstractNamespace 6, TestUnixDomain 6",
    files: tests("message/unix parity/unix"),
    note: "`surrogateescape`: a path that is no UTF-8 is bytes",
  },
  {
    name: "inheritance by child processes",
    classes: "InheritanceTest 7",
    files: tests("parity/inheriting"),
  },
  {
    name: "other families: CAN, RDS, QIPCRTR, VSOCK, Bluetooth, TIPC, kernel cryptography; raw, packet, netlink",
    classes: `BasicCANTest 8, CANTest 4, ISOTPTest 5, J1939Test 3, BasicRDSTest 3, RDSTest 5, BasicQIPCRTRTest
      6, BasicVSOCKTest 4, ThreadedVSOCKSocketStreamTest 1, BasicBluetoothTest 5, TIPCTest 1,
      TIPCThreadableTest 1, LinuxKernelCryptoAPI 7`,
    files: tests(
      "address/families raw/families raw/ip raw/netlink raw/packet raw/ping-socket parity/families",
    ),
    note: "conversations over families that the kernels which we test on do not have; CPython skips them there too",
  },
  {
    name: "other systems",
    classes: "TestSocketSharing 4, TestMacOSTCPFlags 1, TestMSWindowsTCPFlags 1",
    files: [],
    note: "`share` and flags of Windows, a flag of macOS",
  },
  {
    name: "selectors",
    classes: `DefaultSelectorTestCase 18, SelectSelectorTestCase 18, PollSelectorTestCase 19,
      EpollSelectorTestCase 20, KqueueSelectorTestCase 21, DevpollSelectorTestCase 19`,
    files: tests("selectors/async selectors/blocked selectors/registrations selectors/select"),
    note: "kqueue is written and not tested; /dev/poll is Solaris's",
  },
];

/** The number of CPython's tests in a group. */
export const theirCount = (group) =>
  [...group.classes.matchAll(/ (\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);

/** Runs the files of each group: group → how many tests passed. @throws when one fails */
export function countsOf(root) {
  const reporter = fileURLToPath(new URL("count-reporter.mjs", import.meta.url));
  const counts = new Map();
  for (const { name, files } of GROUPS) {
    if (files.length === 0) continue;
    const compiled = files.map((file) => join(root, "out", file.replace(/\.ts$/, ".js")));
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ["--test", `--test-reporter=${reporter}`, ...compiled],
      { cwd: root, maxBuffer: 64 << 20, encoding: "utf8" },
    );
    if (status !== 0) throw new Error(`parity: tests of "${name}" failed\n${stdout}${stderr}`);
    counts.set(name, stdout.length);
  }
  return counts;
}
