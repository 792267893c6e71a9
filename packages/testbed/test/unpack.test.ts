import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { unpack } from '../src/programs/unpack.ts';
import { scratch } from './archives.ts';

/** A zip with one file, stored as it is, under whatever name. */
function zip(name: string, content: string): Buffer {
  const file = Buffer.from(name);
  const data = Buffer.from(content);
  const crc = crc32(data);
  const fields = (signature: number, extra: number[]): Buffer => {
    const head = Buffer.alloc(4);
    head.writeUInt32LE(signature);
    return Buffer.concat([head, ...extra.map((value) => Buffer.from([value & 255, value >> 8]))]);
  };
  const sizes = Buffer.alloc(12);
  sizes.writeUInt32LE(crc, 0);
  sizes.writeUInt32LE(data.length, 4);
  sizes.writeUInt32LE(data.length, 8);
  const local = Buffer.concat([
    fields(0x04034b50, [20, 0, 0, 0, 33]),
    sizes,
    Buffer.from([file.length, 0, 0, 0]),
    file,
    data,
  ]);
  const central = Buffer.concat([
    fields(0x02014b50, [20, 20, 0, 0, 0, 33]),
    sizes,
    Buffer.from([file.length, 0]),
    Buffer.alloc(16),
    file,
  ]);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, central, end]);
}

function crc32(data: Buffer): number {
  let crc = -1;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

test('a zip is unpacked', async () => {
  await using place = await scratch();
  await writeFile(join(place.folder, 'a.zip'), zip('in/side.txt', 'hello'));
  await unpack(join(place.folder, 'a.zip'), join(place.folder, 'out'));
  expect(await readFile(join(place.folder, 'out/in/side.txt'), 'utf8')).toBe('hello');
});

test.each(['../outside.txt', '/tmp/quorate-outside.txt', 'in/../../outside.txt'])(
  'a zip that would write to %s is refused',
  async (name) => {
    await using place = await scratch();
    await writeFile(join(place.folder, 'a.zip'), zip(name, 'bad'));
    await expect(unpack(join(place.folder, 'a.zip'), join(place.folder, 'out'))).rejects.toMatchObject({
      code: 'bad-archive',
    });
  },
);

test('a zip that ends too early is refused', async () => {
  await using place = await scratch();
  const whole = zip('in/side.txt', 'hello');
  for (let length = 0; length < whole.length; length += 7) {
    await writeFile(join(place.folder, 'a.zip'), whole.subarray(0, length));
    await expect(
      unpack(join(place.folder, 'a.zip'), join(place.folder, 'out')),
      `${length} bytes`,
    ).rejects.toMatchObject({ code: 'bad-archive' });
  }
});
