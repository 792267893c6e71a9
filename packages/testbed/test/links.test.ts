import { connect } from 'node:net';
import { describe, expect } from 'vitest';
import { eventually, faults, type LinkFaults, Testbed } from '../src/index.ts';
import { bedTest } from '../src/vitest.ts';
import { greeting, type RedisLine, redisLine } from './redis-line.ts';

const test = bedTest({ redis: 1 });

async function took(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

describe('a link', () => {
  test('is one for two parties, passes everything while it is well, and listens on loopback alone', async ({ bed }) => {
    const link = bed.link('client-a', 'redis-1');
    expect(bed.link('client-a', 'redis-1')).toBe(link);
    expect(bed.link('client-b', 'redis-1')).not.toBe(link);
    expect(await link.address).toMatch(/^127\.0\.0\.1:\d+$/);
    using line = await redisLine(bed, link.address);
    expect(await line.ask('PING')).toBe('+PONG');
    const long = 'x'.repeat(3_000_000);
    expect(await line.ask(`*3\r\n$3\r\nSET\r\n$4\r\nlong\r\n$${long.length}\r\n${long}`)).toBe('+OK');
    expect(await line.ask('STRLEN long')).toBe(':3000000');
    expect(link.connections).toBe(1);
    line[Symbol.dispose]();
    await eventually('nothing passes any more', () => link.connections === 0);
  });

  test('delays each way, with jitter, and keeps the order', async ({ bed }) => {
    const link = bed.link('latency', 'redis-1');
    using line = await redisLine(bed, link.address);
    await line.ask('PING');
    await link.set({ latencyMs: 60 });
    const delayed = await took(() => line.ask('PING'));
    expect(delayed).toBeGreaterThanOrEqual(119);
    expect(delayed).toBeLessThan(1_000);
    await link.set({ jitterMs: 20, seed: 7 });
    const from = line.received().length;
    for (let number = 0; number < 50; number += 1) line.send(`ECHO ${number}`);
    await eventually('all are there', () => line.received().includes('$2\r\n49\r\n'));
    const order = [
      ...line
        .received()
        .slice(from)
        .matchAll(/\$\d\r\n(\d+)/g),
    ].map(([, number]) => Number(number));
    expect(order).toEqual(Array.from({ length: 50 }, (_, number) => number));
    await link.set({ jitterMs: 40, seed: 7 });
    const times: number[] = [];
    for (let trip = 0; trip < 10; trip += 1) times.push(await took(() => line.ask('PING')));
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(15);
    await link.set({ latencyMs: 60_000 });
    line.send('ECHO late');
    using direct = await redisLine(bed, bed.redis.primary.address);
    for (let trip = 0; trip < 5; trip += 1) await direct.ask('PING');
    await link.heal();
    await eventually('what was on its way arrives', () => line.received().endsWith('late\r\n'));
    expect(await took(() => line.ask('PING'))).toBeLessThan(100);
  });

  test('lets little pass: a narrow one, and one that drips', async ({ bed }) => {
    const link = bed.link('narrow', 'redis-1');
    using line = await redisLine(bed, link.address);
    const value = 'x'.repeat(50_000);
    await link.set({ bytesPerSecond: 100_000 });
    const narrow = await took(() => line.ask(`SET wide ${value}`));
    expect(narrow).toBeGreaterThan(450);
    expect(narrow).toBeLessThan(2_000);
    await link.set({ drip: { bytes: 1, everyMs: 20 } });
    // Seven bytes there and seven back.
    expect(await took(() => line.ask('  PING'))).toBeGreaterThanOrEqual(200);
    line.send('PING');
    await link.heal();
    await eventually('the rest comes at once', () => line.received().endsWith('+PONG\r\n'));
  });

  test('has only its new faults when it is set anew, also for what is on its way', async ({ bed }) => {
    const link = bed.link('anew', 'redis-1');
    using line = await redisLine(bed, link.address);
    await line.ask('PING');
    for (const [before, after] of [
      [{ latencyMs: 60_000 }, { latencyMs: 10 }],
      [{ drip: { bytes: 1, everyMs: 60_000 } }, { bytesPerSecond: 1_000_000 }],
      [{ latencyMs: 2 ** 31 - 1, jitterMs: 2 ** 31 - 1 }, { jitterMs: 10 }],
    ]) {
      await link.set(before as LinkFaults);
      const from = line.received().length;
      line.send('ECHO first');
      using direct = await redisLine(bed, bed.redis.primary.address);
      for (let trip = 0; trip < 5; trip += 1) await direct.ask('PING');
      expect(line.received().length, JSON.stringify(before)).toBe(from);
      await link.set(after as LinkFaults);
      line.send('ECHO second');
      const received = (): string => line.received().slice(from);
      await eventually('both arrive', () => received() === '$5\r\nfirst\r\n$6\r\nsecond\r\n', { within: 2_000 });
    }
  });

  test('that is cut and mended does not begin anew with what is on its way', async ({ bed }) => {
    const link = bed.link('again', 'redis-1');
    using line = await redisLine(bed, link.address);
    await line.ask('PING');
    await link.set({ bytesPerSecond: 1_000 });
    const cause = {};
    const sent = took(() => line.ask(`ECHO ${'x'.repeat(100)}`));
    const mending = setInterval(() => {
      link.cut(cause);
      link.mend(cause);
    }, 5);
    expect(await sent.finally(() => clearInterval(mending))).toBeLessThan(2_000);
  });

  test('loses everything in a black hole, ends nothing, and delivers after healing', async ({ bed }) => {
    const link = bed.link('hole', 'redis-1');
    using line = await redisLine(bed, link.address);
    using direct = await redisLine(bed, bed.redis.primary.address);
    await line.ask('PING');
    await link.set({ blackHole: true });
    line.send('INCR held');
    /** How many connections the server has seen: also those that are over. */
    const seen = async (by: RedisLine): Promise<number> => {
      const from = by.received().length;
      by.send('INFO stats');
      const count = (): string | undefined => /total_connections_received:(\d+)\r/.exec(by.received().slice(from))?.[1];
      return Number(await eventually('the server tells', count));
    };
    const before = await seen(direct);
    // A new connection hangs, and the server does not see it.
    using late = await redisLine(bed, link.address);
    late.send('PING');
    await eventually('it is on the link', () => link.connections === 2);
    expect(await direct.ask('EXISTS held')).toBe(':0');
    // The server would have seen the other one first.
    using fresh = await redisLine(bed, bed.redis.primary.address);
    expect(await seen(fresh)).toBe(before + 1);
    expect([line.ended(), late.ended(), late.received()]).toEqual([undefined, undefined, '']);
    await link.heal();
    await eventually('what was held arrives', () => line.received().endsWith(':1\r\n'));
    await eventually('the new connection is answered', () => late.received() === '+PONG\r\n');
    expect(await seen(direct)).toBe(before + 2);
  });

  test('loses one direction: the command is done, or not, and no answer comes either way', async ({ bed }) => {
    const link = bed.link('one-way', 'redis-1');
    using direct = await redisLine(bed, bed.redis.primary.address);
    using line = await redisLine(bed, link.address);
    const pong = await line.ask('PING');
    await link.set({ blackHole: 'redis-1' });
    line.send('SET answered no');
    await eventually('it is done', async () => (await direct.ask('EXISTS answered')) === ':1');
    expect(line.received()).toBe(`${pong}\r\n`);
    await link.set({ blackHole: 'one-way' });
    await eventually('the answer comes after all', () => line.received() === '+PONG\r\n+OK\r\n');
    line.send('SET asked no');
    expect(await direct.ask('EXISTS asked')).toBe(':0');
    await link.heal();
    await eventually('it is done too', () => line.received() === '+PONG\r\n+OK\r\n+OK\r\n');
  });

  test('hides the death of the other party while it is a black hole, and tells it after healing', async ({ bed }) => {
    const link = bed.link('unaware', 'redis-1');
    using line = await redisLine(bed, link.address);
    await line.ask('PING');
    await link.set({ blackHole: true });
    await bed.redis.primary.restart();
    using direct = await redisLine(bed, bed.redis.primary.address);
    expect(await direct.ask('PING')).toBe('+PONG');
    expect(line.ended()).toBeUndefined();
    await link.heal();
    await eventually('it knows', () => line.ended());
  });

  test('hides it also when only the other direction is well', async ({ bed }) => {
    const link = bed.link('hopeful', 'redis-1');
    using line = await redisLine(bed, link.address);
    await line.ask('PING');
    await link.set({ blackHole: 'redis-1' });
    await bed.redis.primary.restart();
    using direct = await redisLine(bed, bed.redis.primary.address);
    for (let attempt = 0; attempt < 20; attempt += 1) {
      line.send('PING');
      await direct.ask('PING');
    }
    expect(line.ended()).toBeUndefined();
    await link.heal();
    await eventually('it knows', () => line.ended());
  });

  test('resets what is there, once or as long as it refuses', async ({ bed }) => {
    const link = bed.link('reset', 'redis-1');
    using line = await redisLine(bed, link.address);
    await line.ask('PING');
    await link.reset();
    await eventually('it is reset', () => line.ended() === 'ECONNRESET');
    await link.set({ refuse: true });
    using refused = await redisLine(bed, link.address);
    await eventually('it is refused', () => refused.ended());
    await link.heal();
    using again = await redisLine(bed, link.address);
    expect(await again.ask('PING')).toBe('+PONG');
  });

  test('leaves one party with half of a connection', async ({ bed }) => {
    const link = bed.link('half', 'redis-1');
    using direct = await redisLine(bed, bed.redis.primary.address);
    using line = await redisLine(bed, link.address);
    await line.ask('CLIENT SETNAME half');
    await link.set({ halfOpen: 'half' });
    await eventually('the server has it no more', async () => {
      const from = direct.received().length;
      await direct.ask('CLIENT LIST');
      return direct.received().slice(from).includes('addr=') && !direct.received().slice(from).includes('name=half');
    });
    line.send('PING');
    using fresh = await redisLine(bed, link.address);
    expect(await fresh.ask('PING')).toBe('+PONG');
    expect([line.ended(), line.received()]).toEqual([undefined, '+OK\r\n']);
    await link.heal();
    await eventually('it is reset', () => line.ended());
    expect(await fresh.ask('PING')).toBe('+PONG');
  });

  test('cuts an answer in the middle, and a command', async ({ bed }) => {
    const link = bed.link('cut', 'redis-1');
    using direct = await redisLine(bed, bed.redis.primary.address);
    using line = await redisLine(bed, link.address);
    await line.ask('PING');
    await link.set({ cut: { afterBytes: 3, from: 'redis-1' } });
    line.send('SET half-answered yes');
    await eventually('it ended', () => line.ended());
    expect(line.received()).toBe('+PONG\r\n+OK');
    expect(await direct.ask('EXISTS half-answered')).toBe(':1');
    await link.set({ cut: { afterBytes: greeting(bed).length + 10, from: 'cut' } });
    using other = await redisLine(bed, link.address);
    other.send('SET half-asked yes');
    await eventually('it ended', () => other.ended());
    expect(await direct.ask('EXISTS half-asked')).toBe(':0');
    // What has passed counts, also when a partition has come and gone since.
    await link.heal();
    using counted = await redisLine(bed, link.address);
    await counted.ask('PING');
    await link.set({ cut: { afterBytes: 12, from: 'redis-1' } });
    await counted.ask('PING');
    await (await bed.partition(['cut'], ['redis-1'])).heal();
    counted.send('PING');
    await eventually('it ended', () => counted.ended());
    expect(counted.received()).toBe('+PONG\r\n+PONG\r\n+PONG');
  });

  test('ends as it should when one party has said everything and the other has not', async ({ bed }) => {
    const link = bed.link('polite', 'redis-1');
    await link.set({ latencyMs: 30 });
    const [host, port] = (await link.address).split(':');
    const socket = connect({ host, port: Number(port), allowHalfOpen: true } as never);
    let received = '';
    socket.setEncoding('utf8').on('data', (text) => (received += text));
    socket.end(`${greeting(bed)}PING\r\nQUIT\r\n`);
    await eventually('the last answer came', () => received === '+OK\r\n+PONG\r\n+OK\r\n');
    await eventually('all is closed', () => link.connections === 0);
  });

  test('refuses what makes no sense, by name, and stays as it was', async ({ bed }) => {
    const link = bed.link('strict', 'redis-1');
    await link.set({ latencyMs: 5 });
    for (const [faults, message] of [
      [{ latencyMs: -1 }, 'faults.latencyMs: expected milliseconds from 0 to 2147483647, got -1'],
      [{ jitterMs: 2 ** 31 }, 'faults.jitterMs: expected milliseconds from 0 to 2147483647, got 2147483648'],
      [{ drip: { bytes: 1, everyMs: 1e10 } }, 'faults.drip.everyMs: expected milliseconds from 1 to 2147483647'],
      [{ latency: 5 }, /^faults: expected one of the settings latencyMs, .*, got 'latency'/],
      [{ blackHole: 'redis-2' }, "faults.blackHole: expected true, strict or redis-1, got 'redis-2'"],
      [{ drip: { bytes: 1 } }, /^faults.drip.everyMs: expected/],
      [{ cut: { afterBytes: 1.5 } }, /^faults.cut.afterBytes: expected a whole number of bytes/],
      [{ bytesPerSecond: 5, drip: { bytes: 1, everyMs: 1 } }, /drip or bytesPerSecond, not both/],
    ] as const) {
      await expect(link.set(faults as never)).rejects.toThrow(message);
    }
    expect(link.faults).toEqual({ latencyMs: 5 });
    expect(() => bed.link('client-a', 'redis-2')).toThrow(/expected a client's name and one of redis-1, /);
    expect(() => bed.link('redis-1', 'redis-1')).toThrow(/link: expected/);
    await expect(faults.isolate?.(bed, { at: 0, kind: 'isolate', target: ['redis-1'], duration: 1 })).rejects.toThrow(
      "target: expected a server that reaches others through links, got 'redis-1'",
    );
    await expect(bed.partition(['a'], ['b'])).rejects.toThrow(/a server on at least one side/);
    await expect(bed.partition([], ['redis-1'])).rejects.toThrow('left: expected at least one name');
    await expect(bed.partition(['a', 'redis-1'], ['redis-1'])).rejects.toThrow(/right: expected names/);
  });
});

describe('a partition', () => {
  test('cuts a client off, also one that connects later, until it or all is healed', async ({ bed }) => {
    using line = await redisLine(bed, bed.link('left', 'redis-1').address);
    await line.ask('PING');
    const first = await bed.partition(['left', 'latecomer'], ['redis-1']);
    const second = await bed.partition(['redis-1'], ['left']);
    line.send('PING');
    using late = await redisLine(bed, bed.link('latecomer', 'redis-1').address);
    late.send('PING');
    await first.heal();
    await eventually('the latecomer gets through', () => late.received() === '+PONG\r\n');
    expect(line.received()).toBe('+PONG\r\n');
    await bed.heal();
    await eventually('all do', () => line.received() === '+PONG\r\n+PONG\r\n');
    await second.heal();
  });
});

test('nothing of a link outlives its bed', async () => {
  const bed = await Testbed.start({ redis: 1 });
  using line = await redisLine(bed, bed.link('a', 'redis-1').address);
  await line.ask('PING');
  await bed.link('a', 'redis-1').set({ blackHole: true });
  await bed.stop();
  await eventually('the connection is over', () => line.ended());
  using refused = await redisLine(bed, bed.link('a', 'redis-1').address);
  await eventually('nobody listens', () => refused.ended() === 'ECONNREFUSED');
});
