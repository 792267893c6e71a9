const polynomial = 0x82f63b78;
const step = 16;

/** Of each byte, and then of each with one byte of zeros behind it, with two, …: so as many are taken at once. */
const table: Int32Array = tableOf();

/** The checksum of batches: the CRC of Castagnoli, of 32 bits. */
export function crc32c(bytes: Uint8Array): number {
  const { length } = bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  let crc = -1;
  let at = 0;
  for (; at + step <= length; at += step) {
    crc =
      ofFour(crc ^ view.getInt32(at, true), 12) ^
      ofFour(view.getInt32(at + 4, true), 8) ^
      ofFour(view.getInt32(at + 8, true), 4) ^
      ofFour(view.getInt32(at + 12, true), 0);
  }
  for (; at < length; at += 1) crc = (crc >>> 8) ^ of((crc ^ view.getUint8(at)) & 0xff, 0);
  return ~crc >>> 0;
}

/** Of four bytes, the first is the lowest, with so many behind them. */
function ofFour(word: number, behind: number): number {
  return (
    of(word & 0xff, behind + 3) ^
    of((word >>> 8) & 0xff, behind + 2) ^
    of((word >>> 16) & 0xff, behind + 1) ^
    of(word >>> 24, behind)
  );
}

function of(byte: number, behind: number): number {
  return table[256 * behind + byte] as number;
}

function tableOf(): Int32Array {
  const made = new Int32Array(256 * step);
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? polynomial : 0);
    made[byte] = crc;
  }
  for (let at = 256; at < made.length; at += 1) {
    const before = made[at - 256] as number;
    made[at] = (before >>> 8) ^ (made[before & 0xff] as number);
  }
  return made;
}
