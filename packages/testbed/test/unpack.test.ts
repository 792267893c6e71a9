import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { unpack } from '../src/programs/unpack.ts';
import { scratch, zip } from './archives.ts';

test('a zip is unpacked', async () => {
  await using place = await scratch();
  await writeFile(join(place.folder, 'a.zip'), zip({ 'in/side.txt': 'hello' }));
  await unpack(join(place.folder, 'a.zip'), join(place.folder, 'out'));
  expect(await readFile(join(place.folder, 'out/in/side.txt'), 'utf8')).toBe('hello');
});

test.each(['../outside.txt', '/tmp/quorate-outside.txt', 'in/../../outside.txt'])(
  'a zip that would write to %s is refused',
  async (name) => {
    await using place = await scratch();
    await writeFile(join(place.folder, 'a.zip'), zip({ [name]: 'bad' }));
    await expect(unpack(join(place.folder, 'a.zip'), join(place.folder, 'out'))).rejects.toMatchObject({
      code: 'bad-archive',
    });
  },
);

test('a zip that ends too early is refused', async () => {
  await using place = await scratch();
  const whole = zip({ 'in/side.txt': 'hello' });
  for (let length = 0; length < whole.length; length += 7) {
    await writeFile(join(place.folder, 'a.zip'), whole.subarray(0, length));
    await expect(
      unpack(join(place.folder, 'a.zip'), join(place.folder, 'out')),
      `${length} bytes`,
    ).rejects.toMatchObject({ code: 'bad-archive' });
  }
});
