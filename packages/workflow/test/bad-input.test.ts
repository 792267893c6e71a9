import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codecEndpoint, encryption, replay, Workflows } from '../src/index.ts';
import { type Bench, bench, sharedTemporal, sources } from './fixture.ts';

let b: Bench;
let folder: string;
beforeAll(async () => {
  b = await bench(sharedTemporal());
  folder = await mkdtemp(join(tmpdir(), 'quorate-test-'));
  await symlink(join(import.meta.dirname, '../../../node_modules'), join(folder, 'node_modules'));
});
afterAll(async () => {
  await b[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const queue = { address: '127.0.0.1:7233', taskQueue: 'taxi' };

test('no server: told soon, with the address', async () => {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as { port: number };
  await new Promise((closed) => server.close(closed));
  const connecting = Workflows.connect({ ...queue, address: `127.0.0.1:${port}`, connectTimeout: 500 });
  await expect(connecting).rejects.toMatchObject({
    code: 'temporal-unreachable',
    retryable: true,
    happened: 'no',
    message: expect.stringContaining(`127.0.0.1:${port}`),
  });
});

test('a server that never answers: given up after the time for it, or by the caller', async () => {
  const server = createServer(() => {});
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = `127.0.0.1:${(server.address() as { port: number }).port}`;
  try {
    await expect(Workflows.connect({ ...queue, address, connectTimeout: 300 })).rejects.toMatchObject({
      code: 'temporal-unreachable',
    });
    const signal = AbortSignal.timeout(100);
    await expect(Workflows.connect({ ...queue, address, signal })).rejects.toMatchObject({ name: 'TimeoutError' });
  } finally {
    server.close();
  }
});

test('a worker at a server that never answers: given up after the time for it, or by the caller; and it is closed at once', async () => {
  const server = createServer(() => {});
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = `127.0.0.1:${(server.address() as { port: number }).port}`;
  const workflows = new Workflows({ ...queue, address, connectTimeout: 300 });
  const activities = { work: async () => {} };
  try {
    await expect(workflows.worker({ activities })).rejects.toMatchObject({ code: 'temporal-unreachable' });
    const signal = AbortSignal.timeout(100);
    await expect(workflows.worker({ activities, signal })).rejects.toMatchObject({ name: 'TimeoutError' });
    await workflows.close();
  } finally {
    server.close();
  }
});

test('a namespace that is not there is told; with createNamespace it is made, once', async () => {
  const namespace = b.id('space');
  const options = { address: sharedTemporal(), taskQueue: b.taskQueue, namespace };
  await expect(Workflows.connect(options)).rejects.toMatchObject({
    code: 'unknown-namespace',
    happened: 'no',
    message: expect.stringContaining(namespace),
  });
  const made = await Promise.all(
    [1, 2].map(() => Workflows.connect({ ...options, createNamespace: { retention: '2h' } })),
  );
  const run = await made[0]?.start('nobody', { id: 'here' });
  expect((await run?.describe())?.status).toBe('running');
  await run?.terminate('the test is over');
  await Promise.all(made.map((one) => one.close()));
});

describe('options', () => {
  test.each([
    [{ address: 'nowhere' }, 'address'],
    [{ address: '127.0.0.1:99999' }, 'address'],
    [{ taskQueue: '' }, 'taskQueue'],
    [{ namespase: 'x' }, 'options.namespase'],
    [{ tls: { ca: 7 } }, 'tls.ca'],
    [{ tls: { cert: 'x' } }, 'tls.cert'],
    [{ tls: { ca: 'nonsense' } }, 'tls.ca'],
    [{ tls: { key: 'secret nonsense' } }, 'tls.key'],
    [{ apiKey: 'secret' }, 'tls'],
    [{ apiKey: 7, tls: true }, 'apiKey'],
    [{ apiKey: 'secret\n', tls: true }, 'apiKey'],
    [{ createNamespace: { retention: '1s' } }, 'createNamespace.retention'],
    [{ connectTimeout: 'soon' }, 'connectTimeout'],
    [{ codecs: [{}] }, 'codecs'],
    [{ maxPayloadBytes: 0 }, 'maxPayloadBytes'],
    [{ tracing: {} }, 'tracing'],
  ])('of connect: %j names %s', async (wrong, argument) => {
    const error = await Workflows.connect({ ...queue, ...wrong } as never).catch((one: unknown) => one);
    expect(error).toMatchObject({ code: 'invalid-argument', argument, happened: 'no' });
    expect(String(error)).not.toContain('secret');
  });

  test.each([
    [{ id: '' }, 'id'],
    [{ args: 'x' }, 'args'],
    [{ ifRunning: 'maybe' }, 'ifRunning'],
    [{ ifRunning: 'replace', ifEnded: 'attach' }, 'ifEnded'],
    [{ taskTimeout: '3m' }, 'taskTimeout'],
    [{ token: 2n ** 63n }, 'token'],
    [{ searchAttributes: 'abc' }, 'searchAttributes'],
    [{ searchAttributes: [{}] }, 'searchAttributes'],
    [{ memo: 'abc' }, 'memo'],
    [{ summary: 5 }, 'summary'],
    [{ id: 'half \ud800' }, 'id'],
    [{ args: [5n] }, 'args'],
    [{ ifEnded: 'maybe' }, 'ifEnded'],
    [{ token: 7 }, 'token'],
    [{ token: -1n }, 'token'],
    [{ timeout: 0 }, 'timeout'],
    [{ idd: 'x' }, 'options.idd'],
    [{ signal: {} }, 'signal'],
  ])('of start: %o names %s', async (wrong, argument) => {
    await expect(b.workflows.start('hello', { id: b.id('bad'), ...wrong } as never)).rejects.toMatchObject({
      code: 'invalid-argument',
      argument,
    });
    await expect(b.workflows.get(b.id('bad')).describe()).rejects.toMatchObject({ code: 'unknown-workflow' });
  });

  test.each([
    [{}, 'options'],
    [{ activities: 'x' }, 'activities'],
    [{ activities: { x: 1 } }, 'options'],
    [{ workflowsPath: sources('rides'), bundle: 'x' }, 'bundle'],
    [{ bundle: '/no/such/file' }, 'bundle'],
    [{ bundle: import.meta.filename }, 'bundle'],
    [{ workflowsPath: 7 }, 'workflowsPath'],
    [{ activities: { work: async () => {} }, concurrency: 0 }, 'concurrency'],
    [{ activities: { work: async () => {} }, drain: 'long' }, 'drain'],
    [{ activities: { work: async () => {} }, election: {} }, 'election'],
    [
      { activities: { work: async () => {} }, version: { deployment: 'a.b', build: '1', behavior: 'pinned' } },
      'version.deployment',
    ],
    [{ activities: { work: async () => {} }, workflowPath: 'x' }, 'options.workflowPath'],
  ])('of worker: %o names %s', async (wrong, argument) => {
    await expect(b.workflows.worker(wrong as never)).rejects.toMatchObject({ code: 'invalid-argument', argument });
    expect(await b.workflows.pollers()).toEqual([]);
  });

  test('of the rest', async () => {
    const run = b.workflows.get('x');
    await expect(run.result({ whenStuck: 'panic' } as never)).rejects.toMatchObject({ argument: 'whenStuck' });
    await expect(run.query('')).rejects.toMatchObject({ argument: 'name' });
    await expect(run.signal('x', { args: 7 } as never)).rejects.toMatchObject({ argument: 'args' });
    await expect(run.terminate('')).rejects.toMatchObject({ argument: 'reason' });
    await expect(b.workflows.list({ limit: 0 })).rejects.toMatchObject({ argument: 'limit' });
    await expect(b.workflows.schedules.put('x', { workflow: 'y' })).rejects.toMatchObject({ argument: 'every' });
    const put = (wrong: object): Promise<void> =>
      b.workflows.schedules.put('x', { workflow: 'y', cron: '0 3 * * *', ...wrong });
    await expect(put({ cron: 'a b c d e' })).rejects.toMatchObject({ code: 'refused' });
    await expect(put({ cron: [] })).rejects.toMatchObject({ argument: 'cron' });
    await expect(put({ cron: 5 })).rejects.toMatchObject({ argument: 'cron' });
    await expect(put({ paused: 'no' })).rejects.toMatchObject({ argument: 'paused' });
    await expect(b.workflows.schedules.put('x', { workflow: 'y', cron: 'noon' })).rejects.toMatchObject({
      argument: 'cron',
    });
    expect(() => encryption({ keys: { a: Buffer.alloc(16) }, current: 'a' })).toThrow('a key of 32 bytes');
    expect(() => encryption({ keys: {}, current: 'a' })).toThrow('the name of one of the keys');
    const codecs = [encryption({ keys: { a: Buffer.alloc(32) }, current: 'a' })];
    expect(() => codecEndpoint({ codecs, origin: '*', token: 'long enough to be one' })).toThrow('origin');
    expect(() => codecEndpoint({ codecs, origin: 'http://x', token: 'short' })).toThrow('token');
    await expect(replay({ histories: folder } as never)).rejects.toMatchObject({ argument: 'workflowsPath' });
    await expect(replay({ workflowsPath: sources('rides'), histories: folder })).rejects.toMatchObject({
      argument: 'histories',
    });
    await expect(replay({ workflowsPath: sources('rides'), histories: { x: 'no' } })).rejects.toMatchObject({
      argument: 'histories "x"',
    });
  });
});

test('workflows that import what they must not, or do not compile, are told with the reason; nothing polls', async () => {
  const cases: [string, string, RegExp][] = [
    [
      'forbidden.ts',
      "import { readFileSync } from 'node:fs';\nexport async function x() { return readFileSync('/etc/hosts'); }",
      /must not import node:fs; move/,
    ],
    ['missing.ts', "import { x } from './not-there.ts';\nexport async function y() { return x; }", /not-there/],
    ['broken.ts', 'export async function z( { return 1; }', /broken\.ts|Expected|Syntax|Unexpected/i],
  ];
  for (const [name, text, expected] of cases) {
    const workflowsPath = join(folder, name);
    await writeFile(workflowsPath, text);
    await expect(b.workflows.worker({ workflowsPath }), name).rejects.toMatchObject({
      code: 'bundle-failed',
      happened: 'no',
      message: expect.stringMatching(expected),
    });
  }
  expect(await b.workflows.pollers()).toEqual([]);
  await expect(b.workflows.worker({ workflowsPath: join(folder, 'no-such.ts') })).rejects.toMatchObject({
    code: 'bundle-failed',
  });
});
