import { Redis } from 'ioredis';
import { describe, expect } from 'vitest';
import { eventually } from '../src/index.ts';
import { bedTest } from '../src/vitest.ts';

const test = bedTest({ redis: 1 });

describe('a paused server', () => {
  test('answers nothing while its connections stay open, and everything once it is resumed', async ({ bed }) => {
    const client = new Redis(bed.redis.url);
    await client.set('before', '1');
    await bed.redis.primary.pause();
    expect(await bed.redis.primary.health()).toEqual({ status: 'fail', detail: 'paused' });
    let answered = false;
    const answer = client.get('before').then((value) => {
      answered = true;
      return value;
    });
    // A second connection proves that the machine would have had the time to answer.
    const probe = await fetch(`http://${bed.redis.primary.address}`, { signal: AbortSignal.timeout(300) }).catch(
      (error: Error) => error.name,
    );
    expect(probe).toBe('TimeoutError');
    expect(answered).toBe(false);
    expect(client.status).toBe('ready');
    await bed.redis.primary.resume();
    expect(await answer).toBe('1');
    client.disconnect();
  });

  test('can be killed, stopped and restarted', async ({ bed }) => {
    const server = bed.redis.primary;
    for (const end of ['kill', 'stop', 'restart'] as const) {
      await server.pause();
      await server[end]();
      if (end !== 'restart') await server.start();
      expect(await server.health()).toEqual({ status: 'pass' });
    }
  });
});

describe('a server that does not run', () => {
  test('says so when it is to be paused or resumed', async ({ bed }) => {
    await bed.redis.primary.stop();
    await expect(bed.redis.primary.pause()).rejects.toThrow('redis-1 is not running: it is stopped');
    await expect(bed.redis.primary.resume()).rejects.toMatchObject({ code: 'not-running' });
    await bed.redis.primary.restart();
    await expect(bed.redis.primary.start()).rejects.toMatchObject({ code: 'already-running' });
  });

  test('is noticed when it dies by itself', async ({ bed }) => {
    const server = bed.redis.primary;
    process.kill(server.pid ?? 0, 'SIGKILL');
    await eventually('its death is noticed', () => server.state === 'died');
    expect(await server.health()).toEqual({ status: 'fail', detail: 'died' });
    await server.restart();
  });
});

describe('a server that is starting', () => {
  test.for(['kill', 'stop'] as const)('is given up by %s, and stays so', async (end, { bed }) => {
    const server = bed.redis.primary;
    await server.kill();
    const start = expect(server.start()).rejects.toMatchObject({ code: 'start-aborted' });
    const later = expect(server.restart()).rejects.toMatchObject({ code: 'start-aborted' });
    await server[end]();
    expect(server.pid).toBeUndefined();
    await Promise.all([start, later]);
    expect(server).toMatchObject({ pid: undefined, state: end === 'kill' ? 'killed' : 'stopped' });
    await server.start();
  });

  test('is restarted once more by a second restart', async ({ bed }) => {
    const server = bed.redis.primary;
    await Promise.all([server.restart(), server.restart()]);
    expect(await server.health()).toEqual({ status: 'pass' });
    await expect(server.start()).rejects.toMatchObject({ code: 'already-running' });
  });
});
