import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { everything, PortTakenError, Programs, ServerFailedError, Testbed } from '../src/index.ts';
import { scratch } from './archives.ts';

afterEach(() => vi.unstubAllEnvs());

async function occupied(port = 0): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    [Symbol.asyncDispose]: () => new Promise<void>((done) => server.close(() => done())),
  };
}

describe('a port that is taken', () => {
  test('is named, with what to do, before anything is started', async () => {
    await using other = await occupied();
    const start = Testbed.start({ redis: { port: other.port } });
    await expect(start).rejects.toThrow(PortTakenError);
    await expect(start).rejects.toThrow(
      `redis-1 cannot listen on 127.0.0.1:${other.port}: another program uses the port. Find it with "lsof`,
    );
  });

  test('while its server was down is named at the restart; afterwards the server can come back', async () => {
    await using bed = await Testbed.start({ redis: 1 });
    const server = bed.redis.primary;
    await server.kill();
    {
      await using _other = await occupied(Number(server.address.split(':')[1]));
      await expect(server.restart()).rejects.toThrow(PortTakenError);
      expect(server.state).toBe('died');
    }
    await server.restart();
    expect(await server.health()).toEqual({ status: 'pass' });
  });
});

describe('a server that dies while starting', () => {
  test('has its last words in the error', async () => {
    const start = Testbed.start({ redis: { config: { maxmemory: 'a lot' } } });
    await expect(start).rejects.toThrow(ServerFailedError);
    await expect(start).rejects.toThrow(
      /redis-1 died while starting\. The last lines of its log:\n[\s\S]*maxmemory a lot/,
    );
  });

  test.each([
    ['ZooKeeper', { zookeeper: { config: { tickTime: 'never' } } }, /NumberFormatException: For input string: "never"/],
    ['Kafka', { kafka: { config: { 'log.flush.interval.ms': 'never' } } }, /log\.flush\.interval\.ms/],
  ] as const)('has them of %s too, whose log takes a library of its own', async (_, options, words) => {
    await expect(Testbed.start(options)).rejects.toThrow(words);
  });

  test('is noticed at once, not when the time is up', async () => {
    const begin = performance.now();
    await expect(Testbed.start({ zookeeper: { members: 3, config: { tickTime: 'never' } } })).rejects.toThrow(
      'died while starting',
    );
    expect(performance.now() - begin).toBeLessThan(20_000);
  });
});

test('without a network or any package client, but with a warm cache, everything starts as ever', async () => {
  const java = await new Programs({ offline: true }).get('java');
  await using place = await scratch();
  vi.stubEnv('PATH', place.folder);
  vi.stubEnv('QUORATE_PROGRAM_JAVA', java.path);
  // Whatever would fetch something says so here first.
  const fetching: unknown[] = [];
  await using bed = await Testbed.start(everything, { onProgress: (progress) => fetching.push(progress) });
  expect((await bed.health()).status).toBe('pass');
  expect(fetching).toEqual([]);
});
