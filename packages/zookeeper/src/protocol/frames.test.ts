import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Frames } from './frames.ts';

const never = (): never => expect.unreachable();

function framed(bodies: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    bodies.flatMap((body) => {
      const length = Buffer.alloc(4);
      length.writeInt32BE(body.length);
      return [length, body];
    }),
  );
}

test('cut anywhere, the frames come out whole and in order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 3000 }), { maxLength: 10 }),
      fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1 }),
      (bodies, cuts) => {
        const out: Uint8Array[] = [];
        const frames = new Frames(4096, (b, s, e) => out.push(new Uint8Array(b.subarray(s, e))), never);
        const bytes = framed(bodies);
        for (let at = 0, i = 0; at < bytes.length; i += 1) {
          const size = cuts[i % cuts.length] as number;
          frames.push(bytes.subarray(at, at + size));
          at += size;
        }
        expect(out).toEqual(bodies);
      },
    ),
    { seed: 11 },
  );
});

test.each([1, 3, 4, 5, 7, 8, 100])('a frame too large is named by its request number, %i bytes at a time', (step) => {
  const seen: number[][] = [];
  const frames = new Frames(100, never, (size, xid) => seen.push([size, xid]));
  const bytes = framed([Buffer.concat([Buffer.from([0, 0, 0, 7]), Buffer.alloc(200)])]);
  for (let at = 0; at < bytes.length; at += step) frames.push(bytes.subarray(at, at + step));
  expect(seen).toEqual([[204, 7]]);
});

test('an announced length alone allocates nothing', () => {
  const before = process.memoryUsage().arrayBuffers;
  const all = Array.from({ length: 100 }, () => {
    const frames = new Frames(2 ** 31 - 1, never, never);
    frames.push(Buffer.from([0x7f, 0xff, 0xff, 0xfe, 1]));
    return frames;
  });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024);
  expect(all).toHaveLength(100);
});

test('a negative or empty length is a malformed frame, however it arrives', () => {
  for (const bytes of [
    [255, 255, 255, 255],
    [128, 0, 0, 0],
  ]) {
    const drip = new Frames(100, never, never);
    expect(() => [...bytes, 0].forEach((byte) => void drip.push(Buffer.from([byte])))).toThrow('malformed');
    const burst = new Frames(100, never, never);
    expect(() => burst.push(Buffer.from(bytes))).toThrow('malformed');
  }
  const empty = new Frames(100, never, never);
  expect(() => empty.push(Buffer.from([0, 0, 0]))).not.toThrow();
  expect(() => empty.push(Buffer.from([0]))).toThrow('a frame of length 0');
});

test('once stopped, hands out nothing more, not even from the chunk at hand', () => {
  let count = 0;
  const frames = new Frames(
    100,
    () => {
      count += 1;
      frames.stop();
    },
    never,
  );
  frames.push(framed([Buffer.from('a'), Buffer.from('b')]));
  frames.push(framed([Buffer.from('c')]));
  expect(count).toBe(1);
});

test('the cost of a large frame in small pieces is linear', () => {
  const receive = (bytes: Buffer): void => {
    let done = 0;
    const frames = new Frames(
      bytes.length,
      () => {
        done += 1;
      },
      never,
    );
    for (let at = 0; at < bytes.length; at += 64) frames.push(bytes.subarray(at, at + 64));
    expect(done).toBe(1);
  };
  /** Time of the processor for 64 MB in frames of this size: what else the machine does is not counted. */
  const time = (size: number): number => {
    const bytes = framed([Buffer.alloc(size)]);
    const before = process.threadCpuUsage();
    for (let sent = 0; sent < 64_000_000; sent += size) receive(bytes);
    const { user, system } = process.threadCpuUsage(before);
    return user + system;
  };
  // The best of several: caches and collections of garbage only ever add.
  const best = (size: number): number => Math.min(...Array.from({ length: 3 }, () => time(size)));
  best(1_000_000);
  // Quadratic would be 16 times as long for the same number of bytes.
  expect(best(16_000_000)).toBeLessThan(5 * best(1_000_000));
});
