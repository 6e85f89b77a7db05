// Receives one message on vcan0 with a protocol of CAN, tells it as JSON and answers; for families.test.ts, in a network
// namespace.

import * as b from "berkeley";
import type { AnyAddress, CanJ1939Address } from "berkeley";

const [, , what] = process.argv;
const tell = (told: object): void =>
  console.log(
    "came",
    JSON.stringify(told, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value)),
  );

if (what === "raw") {
  using sock = b.socket(b.AF_CAN, b.SOCK_RAW, b.CAN_RAW);
  sock.options.CAN_RAW_FILTER = [{ id: 0x123, mask: 0x7ff }];
  sock.bind(["vcan0"]);
  console.log("ready");
  // struct can_frame: identifier, length, padding, data.
  const [frame, , , address] = await sock.recvmsg<AnyAddress>(16);
  const data = frame.toString("latin1", 8, 8 + frame.readUInt8(4));
  tell({ id: frame.readUInt32LE(0), data, address });
  const answer = Buffer.alloc(16);
  answer.writeUInt32LE(0x321, 0);
  answer.writeUInt8(answer.write("answer", 8), 4);
  await sock.send(answer);
} else if (what === "isotp") {
  using sock = b.socket(b.AF_CAN, b.SOCK_DGRAM, b.CAN_ISOTP);
  sock.bind(["vcan0", 0x123, 0x321]);
  console.log("ready");
  const [data] = await sock.recvmsg<AnyAddress>(4096);
  tell({ data: data.toString(), address: null });
  await sock.send("answer".repeat(100));
} else {
  using sock = b.socket(b.AF_CAN, b.SOCK_DGRAM, b.CAN_J1939);
  sock.bind(["vcan0", b.J1939_NO_NAME, b.J1939_NO_PGN, 0x30]);
  console.log("ready");
  const [data, , , address] = await sock.recvmsg<CanJ1939Address>(4096);
  tell({ data: data.toString(), address });
  const [, , , to] = address;
  await sock.sendto("answer".repeat(100), ["vcan0", b.J1939_NO_NAME, 0x12300, to]);
}
