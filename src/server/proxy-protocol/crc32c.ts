// CRC-32C (Castagnoli), as iSCSI has it (RFC 3720 appendix B.4). Pure; for headers of some hundred bytes.

const POLYNOMIAL_REFLECTED = 0x82f63b78;

const TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = (sum & 1) === 1 ? (sum >>> 1) ^ POLYNOMIAL_REFLECTED : sum >>> 1;
  return sum;
});

/** The sum of bytes, going on from the sum of those before. */
export function crc32c(bytes: Uint8Array, before: number = 0): number {
  let sum = ~before;
  for (const byte of bytes) sum = (sum >>> 8) ^ (TABLE[(sum ^ byte) & 0xff] as number);
  return ~sum >>> 0;
}
