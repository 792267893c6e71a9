import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { BadFrameError, Frames, guardFrames, longest } from './frames.ts';

/** Random, and the same each time. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function frame(length: number, content: number = length): Buffer {
  const bytes = Buffer.alloc(4 + content, 0xff);
  bytes.writeInt32BE(length);
  return bytes;
}

function chunks(bytes: Buffer, largest: number, roll: (below: number) => number): Buffer[] {
  const all: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + roll(largest);
    all.push(bytes.subarray(at, at + size));
    at += size;
  }
  return all;
}

/** How many bytes had come with the chunk that is refused; undefined when none is. */
function refusedAfter(parts: readonly Buffer[]): number | undefined {
  const frames = new Frames();
  let came = 0;
  for (const part of parts) {
    came += part.length;
    try {
      frames.follow(part);
    } catch (error) {
      expect(error).toBeInstanceOf(BadFrameError);
      return came;
    }
  }
  return undefined;
}

test('answers of every length pass, however they are cut', () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const roll = dice(seed);
    const bytes = Buffer.concat(Array.from({ length: 1 + roll(20) }, () => frame(4 + roll(roll(2) ? 5 : 3_000))));
    expect(refusedAfter(chunks(bytes, roll(2) ? 7 : 2_000, roll)), `seed ${seed}`).toBeUndefined();
  }
});

test('a length that no answer has is refused with the chunk by which it is known, however it is cut', () => {
  const bad = [0, 1, 3, -1, -5, -(2 ** 31), longest + 1, 2 ** 31 - 1];
  for (let seed = 1; seed <= 300; seed += 1) {
    const roll = dice(seed);
    const before = Buffer.concat(Array.from({ length: roll(6) }, () => frame(4 + roll(50))));
    const length = bad[roll(bad.length)] as number;
    const parts = chunks(Buffer.concat([before, frame(length, 40)]), 1 + roll(60), roll);
    let known = 0;
    for (const part of parts) if (known < before.length + 4) known += part.length;
    expect(refusedAfter(parts), `seed ${seed}, length ${length}`).toBe(known);
  }
});

test('the longest answer passes, and is over where it says', () => {
  const frames = new Frames();
  frames.follow(frame(longest, 0));
  const part = Buffer.alloc(1024 * 1024);
  for (let left = longest; left > 0; left -= part.length) frames.follow(part);
  frames.follow(frame(4));
  expect(() => frames.follow(frame(3))).toThrow('a frame of 3 bytes is no answer');
});

test('TLS at the beginning is known for what it is, and later on is not', () => {
  const alert = Buffer.from([0x15, 3, 3, 0, 2, 2, 70]);
  expect(() => new Frames().follow(alert)).toThrow('the broker speaks TLS');
  expect(() => new Frames().follow(Buffer.concat([frame(4), alert]))).toThrow('a frame of');
});

test('nothing of a bad chunk, nor what comes after it, is given to who listens', () => {
  const socket = new Socket();
  const heard: Buffer[] = [];
  const broken: BadFrameError[] = [];
  guardFrames(socket, (error) => broken.push(error));
  socket.on('data', (chunk: Buffer) => heard.push(chunk)).on('error', () => {});
  socket.emit('data', frame(8));
  socket.emit('data', Buffer.concat([frame(8), frame(0)]));
  socket.emit('data', frame(8));
  expect(heard).toEqual([frame(8)]);
  expect(broken).toHaveLength(1);
  expect(socket.destroyed).toBe(true);
});
