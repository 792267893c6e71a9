import { isQuorateError } from '@quorate/core';
import { expect, test } from 'vitest';
import { Reader } from '../jute/reader.ts';
import { Writer } from '../jute/writer.ts';
import { Frames } from './frames.ts';
import { readConnectReply } from './handshake.ts';
import { multiOperation, multiReadOperation } from './multi.ts';
import * as reads from './reads.ts';
import { readWatchNotification } from './watch-event.ts';
import { createOperation, reconfigOperation, setOperation } from './writes.ts';

const frames = 1_000_000;
const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** Small and quick, and the same for the same seed. */
function randomFrom(start: number): (below: number) => number {
  let state = start | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const create = { path: '/a', data: Buffer.alloc(0), acl: [], flags: 0, ttl: undefined };
const steps = [
  { kind: 'check', path: '/a', version: 0, clientPath: '/a' },
  { kind: 'set', path: '/a', data: Buffer.alloc(1), version: 0, clientPath: '/a' },
] as const;
const decoders: ((reader: Reader, zxid: bigint) => unknown)[] = [
  readConnectReply,
  readWatchNotification,
  reads.getOperation('/a', false, '/a').decode,
  reads.childrenOperation('/a', false, '/a').decode,
  reads.aclOperation('/a', '/a').decode,
  reads.ephemeralsOperation('/a', '/a').decode,
  reads.whoAmIOperation().decode,
  reads.countDescendantsOperation('/a', '/a').decode,
  createOperation(create, '/a').decode,
  setOperation('/a', Buffer.alloc(0), 0, '/a').decode,
  reconfigOperation({ joining: undefined, leaving: undefined, members: '1', fromConfig: 0n }).decode,
  multiOperation(steps, 1n).decode,
  multiReadOperation([{ kind: 'get', path: '/a', clientPath: '/a' }]).decode,
];

/** Replies as a server would write them, to begin from. */
function samples(): Buffer[] {
  const stat = (writer: Writer): Writer => {
    writer.long(1n).long(2n).long(3n).long(4n).int(5).int(6).int(7).long(8n).int(9).int(10);
    return writer.long(11n);
  };
  const made = [
    new Writer().int(0).int(10_000).long(77n).bytes(Buffer.alloc(16)).bool(false),
    new Writer().int(3).int(3).string('/watched/path'),
    stat(new Writer().bytes(Buffer.from('some data'))),
    stat(new Writer().list(['a', 'b', 'child'], (w, name) => w.string(name))),
    stat(new Writer().list([1, 31], (w, bits) => w.int(bits).string('world').string('anyone'))),
    new Writer().list(['/a', '/b'], (w, name) => w.string(name)),
    stat(new Writer().string('/created')),
    stat(new Writer().int(13).bool(false).int(-1).int(5).bool(false).int(-1)).int(-1).bool(true).int(-1),
    new Writer().int(-1).bool(false).int(0).int(0).int(-1).bool(false).int(-101).int(-101).int(-1).bool(true).int(-1),
    stat(new Writer().int(4).bool(false).int(0).bytes(Buffer.from('x')))
      .int(-1)
      .bool(true)
      .int(-1),
  ];
  return made.map((writer) => writer.take());
}

test(`${frames} mutated and truncated frames are read or refused, with nothing worse (FUZZ_SEED=${seed})`, () => {
  const random = randomFrom(seed);
  const origins = samples();
  const before = process.memoryUsage();
  let read = 0;
  let refused = 0;
  for (let i = 0; i < frames; i += 1) {
    const origin = origins[random(origins.length)] as Buffer;
    const frame = Buffer.from(origin.subarray(0, random(3) === 0 ? random(origin.length + 1) : origin.length));
    for (let m = random(4); m > 0 && frame.length > 0; m -= 1) frame[random(frame.length)] = random(256);
    if (frame.length >= 4 && random(8) === 0)
      frame.writeInt32BE(random(2 ** 31) * (random(2) ? 1 : -1), random(frame.length - 3));
    try {
      (decoders[random(decoders.length)] as (typeof decoders)[number])(new Reader(frame), 1n);
      read += 1;
    } catch (error) {
      if (!isQuorateError(error))
        throw new Error(`FUZZ_SEED=${seed}, frame ${i}: ${frame.toString('hex')}`, { cause: error });
      refused += 1;
    }
  }
  const after = process.memoryUsage();
  // Both must happen often, or the mutations test nothing.
  expect(read).toBeGreaterThan(frames / 50);
  expect(refused).toBeGreaterThan(frames / 50);
  expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(256 * 1024 * 1024);
});

test(`streams of frames with mutated lengths end in order (FUZZ_SEED=${seed})`, () => {
  const random = randomFrom(seed + 1);
  let handed = 0;
  let ended = 0;
  for (let i = 0; i < 50_000; i += 1) {
    const stream = Buffer.alloc(64 + random(200));
    for (let at = 0; at + 4 < stream.length; at += 4 + (stream[at + 3] as number)) stream[at + 3] = 1 + random(40);
    for (let m = random(3); m > 0; m -= 1) stream[random(stream.length)] = random(256);
    const cut = new Frames(
      1000,
      () => (handed += 1),
      () => (ended += 1),
    );
    try {
      for (let at = 0; at < stream.length; ) {
        const size = 1 + random(50);
        cut.push(stream.subarray(at, at + size));
        at += size;
      }
    } catch (error) {
      if (!isQuorateError(error, 'malformed-frame')) throw error;
      ended += 1;
    }
  }
  expect(handed).toBeGreaterThan(10_000);
  expect(ended).toBeGreaterThan(1_000);
});
