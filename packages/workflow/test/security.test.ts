import { inspect } from 'node:util';
import { eventually } from '@quorate/testbed';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TlsOptions, Workflows } from '../src/index.ts';
import { type Bench, bench, sharedTemporal, sources } from './fixture.ts';
import { type Certificates, certificates, gateway } from './gateway.ts';
import * as activities from './work/activities.ts';

let made: Certificates;
let b: Bench;
beforeAll(async () => {
  made = certificates();
  b = await bench(sharedTemporal());
});
afterAll(async () => {
  await b?.[Symbol.asyncDispose]();
  made?.[Symbol.dispose]();
});

const servername = 'temporal.example';
/** So long it is waited for where nobody lets it in. */
const soon = { connectTimeout: 800 };
const open = (
  address: string,
  more: { readonly tls?: TlsOptions; readonly apiKey?: string | (() => string); readonly connectTimeout?: number },
) => Workflows.connect({ address, taskQueue: b.taskQueue, ...more });

test('TLS: clients and workers trust the given authority, and nobody else', async () => {
  await using door = await gateway(sharedTemporal(), made);
  await using workflows = await open(door.address, { tls: { ca: made.pem('ca'), servername } });
  await using _worker = await workflows.worker({ workflowsPath: sources('rides'), activities });
  const run = await workflows.start('hello', { id: b.id('tls'), args: ['tls'] });
  expect(await run.result()).toBe('hello tls');
  await expect(open(door.address, { tls: { servername }, ...soon })).rejects.toMatchObject({
    code: 'temporal-unreachable',
  });
  await expect(open(door.address, { tls: { ca: made.pem('ca') }, ...soon })).rejects.toMatchObject({
    code: 'temporal-unreachable',
  });
});

test('mutual TLS: who has no certificate does not come in', async () => {
  await using door = await gateway(sharedTemporal(), made, { asksForCertificate: true });
  const ca = made.pem('ca');
  const own = { cert: made.pem('client'), key: made.pem('client-key') };
  await expect(open(door.address, { tls: { ca, servername }, ...soon })).rejects.toMatchObject({
    code: 'temporal-unreachable',
  });
  await using workflows = await open(door.address, { tls: { ca, servername, ...own } });
  await using _worker = await workflows.worker({ workflowsPath: sources('rides'), activities });
  const run = await workflows.start('hello', { id: b.id('mutual'), args: ['mutual'] });
  expect(await run.result()).toBe('hello mutual');
});

test('an API key goes with every request, is changed while all runs, and is not told', async () => {
  await using door = await gateway(sharedTemporal(), made);
  const tls = { ca: made.pem('ca'), servername };
  door.keys.add('secret-one');
  const refused = await open(door.address, { tls, apiKey: 'secret-wrong' }).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'not-authorized', message: expect.stringContaining('not known here') });
  expect(inspect(refused, { depth: 10 })).not.toContain('secret-wrong');
  let current = 'secret-one';
  await using workflows = await open(door.address, { tls, apiKey: () => current });
  await using worker = await workflows.worker({ workflowsPath: sources('rides'), activities });
  expect(inspect(workflows, { depth: 10 })).not.toContain('secret-one');
  const hello = async (name: string): Promise<unknown> => {
    const run = await workflows.start('hello', { id: b.id(name), args: [name] });
    return await run.result();
  };
  door.keys.add('secret-two');
  current = 'secret-two';
  let count = 0;
  await eventually('the worker comes with the new one', async () => {
    count += 1;
    await hello(`key-${count}`);
    return door.seen.has('RespondWorkflowTaskCompleted secret-two');
  });
  door.keys.delete('secret-one');
  expect(await hello('only-the-new-one')).toBe('hello only-the-new-one');
  expect(worker.health().status).toBe('pass');
});
