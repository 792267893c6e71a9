import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { PortTakenError, ServerFailedError, Testbed } from '../src/index.ts';

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
      `redis-1 cannot listen on 127.0.0.1:${other.port}: another program does. Find it with "lsof`,
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

  test('is noticed at once, not when the time is up', async () => {
    const begin = performance.now();
    await expect(Testbed.start({ zookeeper: { members: 3, config: { tickTime: 'never' } } })).rejects.toThrow(
      'died while starting',
    );
    expect(performance.now() - begin).toBeLessThan(20_000);
  });
});
