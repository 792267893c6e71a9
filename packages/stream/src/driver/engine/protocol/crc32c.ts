const polynomial = 0x82f63b78;

/** Of each byte, and of each with one to seven bytes of zeros behind it: so eight are taken at once. */
const tables: readonly Int32Array[] = tablesOf(8);
const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as readonly [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
];

/** The checksum of batches: the CRC of Castagnoli, of 32 bits. */
export function crc32c(bytes: Uint8Array): number {
  const { length } = bytes;
  let crc = -1;
  let at = 0;
  for (const whole = length - 7; at < whole; at += 8) {
    const low =
      crc ^ (byte(bytes, at) | (byte(bytes, at + 1) << 8) | (byte(bytes, at + 2) << 16) | (byte(bytes, at + 3) << 24));
    crc =
      of(t7, low & 0xff) ^
      of(t6, (low >>> 8) & 0xff) ^
      of(t5, (low >>> 16) & 0xff) ^
      of(t4, low >>> 24) ^
      of(t3, byte(bytes, at + 4)) ^
      of(t2, byte(bytes, at + 5)) ^
      of(t1, byte(bytes, at + 6)) ^
      of(t0, byte(bytes, at + 7));
  }
  for (; at < length; at += 1) crc = (crc >>> 8) ^ of(t0, (crc ^ byte(bytes, at)) & 0xff);
  return ~crc >>> 0;
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}

function of(table: Int32Array, value: number): number {
  return table[value] as number;
}

function tablesOf(count: number): Int32Array[] {
  const first = new Int32Array(256);
  for (let value = 0; value < 256; value += 1) {
    let crc = value;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? polynomial : 0);
    first[value] = crc;
  }
  const made = [first];
  for (let before = first; made.length < count; ) {
    const next = before.map((crc) => (crc >>> 8) ^ of(first, crc & 0xff));
    made.push(next);
    before = next;
  }
  return made;
}
