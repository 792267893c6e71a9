import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { becomesFree, Ports } from '../src/processes/ports.ts';

afterEach(() => vi.restoreAllMocks());

/** The next ports that are looked at are these, by their place among all. */
function draw(...places: number[]): void {
  const random = vi.spyOn(Math, 'random');
  for (const place of places) random.mockReturnValueOnce(place);
}

test('a port on which somebody else listens is not given away', async () => {
  const [one, another] = [0.4242, 0.2424];
  const ports = new Ports();
  draw(one);
  const port = await ports.claim();
  ports.release();
  const somebody = createServer().listen(port, '127.0.0.1');
  await once(somebody, 'listening');
  draw(one, another);
  expect(await ports.claim()).not.toBe(port);
  await new Promise((resolve) => somebody.close(resolve));
  ports.release();
});

test('a port that is claimed is given to nobody else until it is released', async () => {
  const [one, another] = [0.3131, 0.1313];
  const [mine, yours] = [new Ports(), new Ports()];
  draw(one);
  const port = await mine.claim();
  draw(one, another);
  expect(await yours.claim()).not.toBe(port);
  mine.release();
  draw(one);
  expect(await yours.claim()).toBe(port);
  yours.release();
});

test('a port that is let go of in a moment is waited for, one that stays taken is not for long', async () => {
  const somebody = createServer().listen(0, '127.0.0.1');
  await once(somebody, 'listening');
  const { port } = somebody.address() as { port: number };
  expect(await becomesFree(port)).toBe(false);
  const free = becomesFree(port);
  somebody.close();
  expect(await free).toBe(true);
});
