import { spawn } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { eventually, SkewedProcess, Testbed } from '@quorate/testbed';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { connect } from '../src/index.ts';
import { codeOf } from './conformance.ts';

let bed: Testbed & { zookeeper: { url: string } };

beforeAll(async () => {
  bed = await Testbed.start({ zookeeper: { members: 1, config: { tickTime: 100 } } });
});
afterAll(() => bed?.[Symbol.asyncDispose]());

function program(text: string): ReturnType<typeof spawn> {
  const source = `import { connect } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)};\n${text}`;
  const args = ['--conditions=@quorate/source', '--input-type=module', '-e', source, bed.zookeeper.url];
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

test.concurrent('once closed or given up, nothing keeps the process alive', async () => {
  const child = program(`
    const closed = await connect(process.argv[1]);
    closed.watch('/').ready;
    await closed.get('/', { watch: () => undefined });
    await closed.close();
    await connect('127.0.0.1:1', { timeout: 100 }).catch((error) => console.log(error.code));
    await connect('127.0.0.1:1', { signal: AbortSignal.timeout(50) }).catch((error) => console.log(error.name));
  `);
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const printed: string[] = [];
  lines.on('line', (line) => printed.push(line));
  const [status] = await once(child, 'exit', { signal: AbortSignal.timeout(15_000) });
  expect(status).toBe(0);
  expect(printed).toEqual(['deadline-exceeded', 'TimeoutError']);
});

test.concurrent('a process whose session is lost ends by itself, whatever still waited for an answer', async () => {
  const link = bed.link('ending', 'zookeeper-1');
  const child = program(`
    const zk = await connect('${await link.address}', { sessionTimeout: 1500 });
    await zk.get('/', { watch: () => undefined });
    zk.watch('/').ready;
    console.log('ready');
    for await (const state of zk.states()) {
      console.log(state);
      if (state === 'suspended') zk.get('/').catch((error) => console.log(error.code));
    }
  `);
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe('ready');
  await link.set({ blackHole: true });
  const printed: string[] = [];
  for await (const line of { [Symbol.asyncIterator]: () => lines }) printed.push(line);
  const lost = performance.now();
  // Said before the process ends, and all that it said: nothing else keeps it.
  if (child.exitCode === null) await once(child, 'exit', { signal: AbortSignal.timeout(10_000) });
  expect([child.exitCode, printed.sort()]).toEqual([0, ['lost', 'session-lost', 'suspended']]);
  expect(performance.now() - lost).toBeLessThan(5_000);
});

test.concurrent('sessions at rest keep a small buffer each, also after one that was busy', async () => {
  const child = program(`
    import { setFlagsFromString } from 'node:v8';
    import { runInNewContext } from 'node:vm';
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc');
    // What a collection has found is freed some time after it.
    const kept = async () => {
      let least = Infinity;
      for (let times = 0; times < 15; times += 1) {
        gc();
        await new Promise((resolve) => setTimeout(resolve, 10));
        least = Math.min(least, process.memoryUsage().arrayBuffers);
      }
      return least;
    };
    const busy = async (zk) => {
      await Promise.all(Array.from({ length: 500 }, () => zk.exists('/' + 'x'.repeat(500))));
      for (let times = 0; times < 50; times += 1) await zk.exists('/');
    };
    await (await connect(process.argv[1])).close();
    const before = await kept();
    const sessions = await Promise.all(Array.from({ length: 50 }, () => connect(process.argv[1])));
    await busy(sessions[0]);
    for (const zk of sessions) await zk.exists('/');
    const bytes = ((await kept()) - before) / sessions.length;
    for (const zk of sessions) await zk.close();
    console.log(bytes);
  `);
  const [bytes] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  expect(Number(bytes)).toBeLessThan(8_192);
});

test.concurrent('a process that was stopped for longer than its session never reads connected again', async () => {
  await using zk = await connect(bed.zookeeper.url);
  const child = program(`
    const zk = await connect(process.argv[1], { sessionTimeout: 2000 });
    await zk.create('/stopped', '', { mode: 'ephemeral' });
    console.log('ready');
    // Between no two looks passes as much time as while the process stands still: what counts is what comes after.
    const gap = { last: performance.now(), longest: 0 };
    let seen = [];
    const note = () => {
      const before = performance.now();
      const state = zk.state + ' ' + zk.lost.aborted;
      const after = performance.now();
      if (after - gap.last > gap.longest) {
        gap.longest = after - gap.last;
        seen = [];
      }
      gap.last = after;
      // Stopped in the middle of the look: nobody can say on which side of it that was.
      if (after - before > gap.longest / 2) return;
      if (state !== seen.at(-1)) seen.push(state);
    };
    // Mostly at work: it is stopped in the middle, and looks before any timer has run.
    const look = () => {
      const until = performance.now() + 20;
      do note();
      while (performance.now() < until);
      if (!seen.at(-1)?.startsWith('lost')) return void setImmediate(look);
      for (const state of seen) console.log(state);
    };
    look();
  `);
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe('ready');
  const gone = new Promise((resolve) => void zk.exists('/stopped', { watch: resolve }));
  child.kill('SIGSTOP');
  expect(await gone).toMatchObject({ type: 'deleted' });
  child.kill('SIGCONT');
  const seen: string[] = [];
  for await (const line of { [Symbol.asyncIterator]: () => lines }) seen.push(line);
  expect(seen).toEqual(['lost true']);
});

test.concurrent('a clock that is set forward or back neither ends a session nor keeps a dead one', async () => {
  await using zk = await connect(bed.zookeeper.url);
  const link = bed.link('skewed', 'zookeeper-1');
  const session = `
    import { connect } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)};
    const zk = await connect(process.argv[1], { sessionTimeout: 2000 });
    await zk.create(process.argv[2], '', { mode: 'ephemeral' });
    for await (const state of zk.states()) console.log(state);
  `;
  const args = ['--conditions=@quorate/source', '--input-type=module', '-e', session];
  const begin = async (url: string, path: string): Promise<{ process: SkewedProcess; seen: string[] }> => {
    const created = new Promise((resolve) => void zk.exists(path, { watch: resolve }));
    const process = SkewedProcess.start([...args, url, path]);
    const seen: string[] = [];
    createInterface({ input: process.child.stdout as NodeJS.ReadableStream }).on('line', (line) => seen.push(line));
    await created;
    return { process, seen };
  };
  const gone = (path: string): Promise<unknown> =>
    new Promise((resolve) => void zk.exists(path, { watch: resolve }).catch(resolve));
  const { process: ours, seen } = await begin(await link.address, '/skewed');
  await using skewed = ours;

  await skewed.jump(3_600_000);
  // For as long as the server takes to give up a session of the same length: ours is neither suspended nor lost.
  const { process: killed } = await begin(bed.zookeeper.url, '/killed');
  const over = gone('/killed');
  await killed[Symbol.asyncDispose]();
  await over;
  expect(seen).toEqual([]);

  await skewed.jump(-7_200_000);
  const expired = gone('/skewed');
  await link.set({ blackHole: true });
  await eventually('it knows that it is lost', () => seen.at(-1) === 'lost', { within: 20_000 });
  await expired;
  expect(seen).toEqual(['suspended', 'lost']);
});

test('diagnostics tell of requests, watches and states, and of no secret', async () => {
  const told: unknown[] = [];
  const hear = (kind: string, channel: string): void => {
    const listen = (message: unknown): void => void told.push([kind, message]);
    subscribe(channel, listen);
    // Files share a process, and what others do is much.
    onTestFinished(() => void unsubscribe(channel, listen));
  };
  hear('state', 'quorate.zookeeper.state');
  hear('watch', 'quorate.zookeeper.watch');
  for (const step of ['start', 'end', 'asyncStart', 'asyncEnd', 'error']) {
    hear(step, `tracing:quorate.zookeeper.request:${step}`);
  }
  const auth = { scheme: 'digest', user: 'u', password: 'hunter2' } as const;
  await using zk = await connect(bed.zookeeper.url, { auth });
  const changed = new Promise((resolve) => void zk.exists('/told', { watch: resolve }));
  await zk.create('/told', 'hunter2', { mode: 'ephemeral' });
  await changed;
  expect(await codeOf(zk.get('/none'))).toBe('no-node');
  await zk.close();
  const request = (kind: string, operation: string): unknown => [
    kind,
    expect.objectContaining({ operation, sessionId: zk.id }),
  ];
  expect(told).toContainEqual(['state', expect.objectContaining({ state: 'connected', sessionId: zk.id })]);
  expect(told).toContainEqual(['state', expect.objectContaining({ state: 'closed' })]);
  expect(told).toContainEqual(['watch', { sessionId: zk.id, type: 1, path: '/told' }]);
  expect(told).toContainEqual(request('start', 'create'));
  expect(told).toContainEqual(request('asyncEnd', 'create'));
  expect(told).toContainEqual([
    'error',
    expect.objectContaining({ operation: 'get', path: '/none', error: expect.any(Error) }),
  ]);
  expect(JSON.stringify(told, (_, value) => (typeof value === 'bigint' ? String(value) : value))).not.toContain(
    'hunter2',
  );
});
