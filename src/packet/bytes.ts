// Numbers and texts in the bytes of packets, all in network order. Whoever asks has checked that the bytes are there.

/** A u16. */
export function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

/** A u32. */
export function u32(bytes: Uint8Array, at: number): number {
  return u16(bytes, at) * 65_536 + u16(bytes, at + 2);
}

/** Two digits a byte. */
export function hex(bytes: Uint8Array, separator = ""): string {
  let text = "";
  for (const [index, byte] of bytes.entries())
    text += (index === 0 ? "" : separator) + byte.toString(16).padStart(2, "0");
  return text;
}

/** A link-layer address, "02:00:00:00:00:01". */
export function linkAddress(bytes: Uint8Array): string {
  return hex(bytes, ":");
}
