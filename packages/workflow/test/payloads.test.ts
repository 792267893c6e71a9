import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import { Programs } from '@quorate/testbed';
import { afterAll, expect, test } from 'vitest';
import { bundle, codecEndpoint, encryption, replay } from '../src/index.ts';
import { type Bench, bench, sharedTemporal, sources } from './fixture.ts';
import * as activities from './work/activities.ts';
import type * as rides from './work/rides.ts';

const run = promisify(execFile);
const first = randomBytes(32);
const second = randomBytes(32);
const stack = new AsyncDisposableStack();
afterAll(() => stack.disposeAsync());

const open = async (
  ...[options]: Parameters<typeof bench> extends [unknown, (infer O)?] ? [O?] : never
): Promise<Bench> => stack.use(await bench(sharedTemporal(), options));

test('what goes to the server is encrypted: arguments, results and what errors say', async () => {
  const b = await open({ codecs: [encryption({ keys: { '2026-10': first }, current: '2026-10' })] });
  await b.workflows.worker({ workflowsPath: sources('rides'), activities });
  const said = await b.workflows.start<typeof rides.echoes>('echoes', {
    id: b.id('secret'),
    args: ['the secret word'],
  });
  expect(await said.result()).toBe('the secret word');
  const failed = await b.workflows.start('ride', { id: b.id('secret-failure'), args: ['the secret cab', 'declined'] });
  await expect(failed.result()).rejects.toMatchObject({
    reason: 'declined',
    message: expect.stringContaining('the driver declines'),
    undone: { undone: ['charge', 'book'] },
  });
  for (const { id } of [said, failed]) {
    const history = await b.workflows.get(id).history();
    const all = [
      history,
      ...[...history.matchAll(/"data": ?"([^"]+)"/g)].map(([, data = '']) =>
        Buffer.from(data, 'base64').toString('latin1'),
      ),
    ];
    expect(all.length).toBeGreaterThan(2);
    for (const secret of ['secret word', 'secret cab', 'driver declines']) expect(all.join('\n')).not.toContain(secret);
  }
});

test('the key is changed while workflows run: old values are read, new ones are written by the new key', async () => {
  const old = encryption({ keys: { '2026-10': first }, current: '2026-10' });
  const both = encryption({ keys: { '2026-10': first, '2026-11': second }, current: '2026-11' });
  const b = await open({ codecs: [old] });
  const id = b.id('rotated');
  await b.workflows.start('echoes', { id, args: ['by the old key'] });
  const next = await b.connect({ codecs: [both] });
  await next.worker({ workflowsPath: sources('rides'), activities });
  const rotated = next.get<string>(id);
  expect(await rotated.result()).toBe('by the old key');
  const history = await rotated.history();
  const names = [...history.matchAll(/"encryption-key-id": ?"([^"]+)"/g)].map(([, name = '']) =>
    Buffer.from(name, 'base64').toString(),
  );
  expect([names[0], names.at(-1)]).toEqual(['2026-10', '2026-11']);
  // Who has not the new key is told so.
  await expect(b.workflows.get(id).result()).rejects.toMatchObject({
    code: 'unreadable-payload',
    message: expect.stringContaining('"2026-11", which is not among the keys'),
  });
  // A recorded history is gone through with the keys.
  const replayed = await replay({ workflowsPath: sources('rides'), histories: { [id]: history }, codecs: [both] });
  expect(replayed).toEqual([{ name: id }]);
});

test('a value that was changed on the server is refused', async () => {
  const codec = encryption({ keys: { a: first, b: second }, current: 'a' });
  const [payload] = await codec.encode([
    { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('"x"') },
  ]);
  const changed = Buffer.from(payload?.data ?? []);
  changed[20] = (changed[20] ?? 0) ^ 1;
  for (const wrong of [
    { ...payload, data: changed },
    { ...payload, data: Buffer.alloc(3) },
    { ...payload, metadata: { ...payload?.metadata, 'encryption-key-id': Buffer.from('b') } },
  ])
    await expect(codec.decode([wrong])).rejects.toMatchObject({ code: 'unreadable-payload' });
  const [plain] = await codec.decode([payload ?? {}]);
  expect(Buffer.from(plain?.data ?? []).toString()).toBe('"x"');
  // Two encryptions of one value differ.
  const [again] = await codec.encode([plain ?? {}]);
  expect(Buffer.from(again?.data ?? []).equals(Buffer.from(payload?.data ?? []))).toBe(false);
});

test('a bundle that would tell errors in the clear is refused by a worker with codecs', async () => {
  const b = await open({ codecs: [encryption({ keys: { a: first }, current: 'a' })] });
  const out = new URL(`file:///tmp/quorate-test-${b.taskQueue}.js`);
  const { rm } = await import('node:fs/promises');
  stack.defer(() => rm(out, { force: true }));
  await bundle({ workflowsPath: sources('rides'), out });
  await expect(b.workflows.worker({ bundle: out, activities })).rejects.toMatchObject({
    code: 'invalid-argument',
    message: expect.stringContaining('codecs: true'),
  });
  await bundle({ workflowsPath: sources('rides'), out, codecs: true });
  const worker = await b.workflows.worker({ bundle: out, activities });
  expect(worker.health().status).toBe('pass');
});

test('a value that is too large is refused before it is sent, and the error says where it belongs', async () => {
  const b = await open({ maxPayloadBytes: 1_000 });
  await b.workflows.worker({ workflowsPath: sources('rides'), activities });
  const large = 'x'.repeat(2_000);
  const id = b.id('large');
  await expect(b.workflows.start('echoes', { id, args: [large] })).rejects.toMatchObject({
    code: 'payload-too-large',
    happened: 'no',
    message: expect.stringMatching(/20\d\d bytes of values, where 1000 are allowed: put them into storage/),
  });
  await expect(b.workflows.get(id).describe()).rejects.toMatchObject({ code: 'unknown-workflow' });
  const waits = await b.workflows.start('waits', { id: b.id('waits') });
  await expect(waits.signal('go', { args: [large] })).rejects.toMatchObject({
    code: 'payload-too-large',
    happened: 'no',
  });
  await waits.terminate('the test is over');
  // A result of an activity: it would be as large at the next attempt.
  const makes = await b.workflows.start('makesLarge', { id: b.id('makes') });
  await expect(makes.result()).rejects.toMatchObject({ reason: 'payload-too-large' });
  // A result of a workflow: its code can be mended, so it waits for that.
  const gives = await b.workflows.start('givesLarge', { id: b.id('gives') });
  await expect(gives.result()).rejects.toMatchObject({
    code: 'workflow-stuck',
    message: expect.stringContaining('put them into storage'),
  });
  await gives.terminate('the test is over');
});

test('the arguments of a call count together', async () => {
  const b = await open({ maxPayloadBytes: 1_000 });
  const args = ['x'.repeat(600), 'x'.repeat(600)];
  await expect(b.workflows.start('echoes', { id: b.id('together'), args })).rejects.toMatchObject({
    code: 'payload-too-large',
    happened: 'no',
  });
});

test('by default nothing is sent that the server would refuse for its size', async () => {
  const b = await open({});
  const start = (length: number): Promise<unknown> =>
    b.workflows.start('echoes', { id: b.id(`of-${length}`), args: ['x'.repeat(length)] });
  await start(2 * 2 ** 20 - 8_300);
  await expect(start(2 * 2 ** 20 - 8_192)).rejects.toMatchObject({ code: 'payload-too-large' });
});

test('why something failed is told also where it is encrypted', async () => {
  const codecs = [encryption({ keys: { a: first }, current: 'a' })];
  const b = await open({ codecs });
  await b.workflows.worker({ workflowsPath: sources('rides'), activities });
  const broken = await b.workflows.start('broken', { id: b.id('broken') });
  await expect(broken.result()).rejects.toMatchObject({
    code: 'workflow-stuck',
    message: expect.stringContaining('cab is undefined'),
  });
  await broken.terminate('the test is over');
});

test("Temporal's own command shows what is encrypted, by the endpoint, to who has the token", async () => {
  const codecs = [encryption({ keys: { a: first }, current: 'a' })];
  const b = await open({ codecs });
  await b.workflows.worker({ workflowsPath: sources('rides'), activities });
  const started = await b.workflows.start('echoes', { id: b.id('shown'), args: ['the secret word'] });
  await started.result();
  const token = 'a-token-of-the-test';
  const handler = codecEndpoint({ codecs, origin: 'http://127.0.0.1:8233', token });
  // A Node server around the handler; `run` of the service does it in an application.
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const answer = await handler(
      new Request(`http://127.0.0.1${request.url}`, {
        method: request.method ?? 'GET',
        headers: request.headers as Record<string, string>,
        ...(request.method === 'POST' && { body: Buffer.concat(parts) }),
      }),
    );
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  stack.defer(() => void server.close());
  const { port } = server.address() as { port: number };
  const command = (await new Programs({ offline: true }).find('temporal'))?.path ?? '';
  const show = (auth: string): Promise<{ stdout: string }> =>
    run(
      command,
      [
        ...['workflow', 'show', '--workflow-id', started.id, '--address', sharedTemporal(), '--output', 'json'],
        ...['--codec-endpoint', `http://127.0.0.1:${port}`, '--codec-auth', auth],
      ],
      { env: { ...process.env, TEMPORAL_CONFIG_FILE: '/dev/null' } },
    );
  expect(Buffer.from((await show(`Bearer ${token}`)).stdout).toString()).toContain(
    Buffer.from('"the secret word"').toString('base64'),
  );
  const asked = (path: string, init: RequestInit): Promise<Response> =>
    handler(new Request(`http://127.0.0.1:${port}${path}`, { method: 'POST', ...init }));
  const authorization = `Bearer ${token}`;
  const refused: [string, RequestInit, number][] = [
    ['/decode', { headers: { authorization: 'Bearer another-token-of-it' }, body: '{"payloads":[]}' }, 401],
    ['/decode', { body: '{"payloads":[]}' }, 401],
    ['/decode', { headers: { authorization }, body: 'nonsense' }, 400],
    ['/decode', { headers: { authorization }, body: '{"payloads":[{"data":7}]}' }, 400],
    ['/decode', { headers: { authorization }, body: 'x'.repeat(9 * 2 ** 20) }, 413],
    ['/elsewhere', { headers: { authorization } }, 404],
    ['/decode', { method: 'GET', headers: { authorization } }, 405],
  ];
  for (const [path, init, status] of refused) expect((await asked(path, init)).status).toBe(status);
  const preflight = await asked('/decode', { method: 'OPTIONS' });
  expect(preflight.headers.get('access-control-allow-origin')).toBe('http://127.0.0.1:8233');
});
