import { readdir, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { replay } from '../src/index.ts';
import { atPause, whatsOf } from './done.ts';
import { type Bench, bench, sharedTemporal, sources } from './fixture.ts';
import * as activities from './work/activities.ts';
import type * as rides from './work/rides.ts';

const histories = new URL('histories/', import.meta.url);

describe('recorded histories', () => {
  test('the workflows of today can go on with all of them', async () => {
    const replayed = await replay({ workflowsPath: sources('rides'), histories });
    expect(replayed.length).toBeGreaterThanOrEqual(5);
    expect(replayed.filter(({ error }) => error !== undefined)).toEqual([]);
    expect(replayed.map(({ name }) => name)).toEqual((await readdir(histories)).sort());
  });

  test('a change that breaks them is told, with the name', async () => {
    const replayed = await replay({ workflowsPath: sources('rides-changed'), histories });
    const broken = replayed.filter(({ error }) => error !== undefined).map(({ name }) => name);
    expect(broken).toContain('ride-declined.json');
    expect(replayed.find(({ name }) => name === 'ride-declined.json')?.error).toMatch(/nondetermin/i);
    // What was not changed still fits.
    expect(broken).not.toContain('hello.json');
  });
});

describe.concurrent('a change while workflows run', () => {
  let b: Bench;
  beforeAll(async () => {
    b = await bench(sharedTemporal());
  });
  afterAll(() => b[Symbol.asyncDispose]());

  test('those that began before go the old way to their end, new ones the new way', async () => {
    const old = await b.workflows.worker({ workflowsPath: sources('rides-before'), activities });
    const id = b.id('before');
    const before = await b.workflows.start<typeof rides.changed>('changed', { id });
    await atPause(before);
    await old.stop();
    await b.workflows.worker({ workflowsPath: sources('rides'), activities });
    await before.signal('onward');
    const after = await b.workflows.start<typeof rides.changed>('changed', { id: b.id('after') });
    await after.signal('onward');
    expect([await before.result(), await after.result()]).toEqual(['fare', 'fare']);
    expect(whatsOf(before.id)).toEqual(['start', 'fare']);
    expect(whatsOf(after.id)).toEqual(['start', 'toll', 'fare']);
  });

  test('code that does not fit what has happened is told as stuck; when it is mended the workflow goes on', async () => {
    await using c = await bench(sharedTemporal());
    const first = await c.workflows.worker({ workflowsPath: sources('rides-before'), activities });
    const run = await c.workflows.start<typeof rides.changed>('changed', { id: c.id('unfit') });
    await atPause(run);
    await first.stop();
    const wrong = await c.workflows.worker({ workflowsPath: sources('rides-changed'), activities });
    await run.signal('onward');
    await expect(run.result()).rejects.toMatchObject({
      code: 'workflow-stuck',
      message: expect.stringMatching(/nondetermin/i),
    });
    await wrong.stop();
    await c.workflows.worker({ workflowsPath: sources('rides'), activities });
    expect(await run.result({ whenStuck: 'wait' })).toBe('fare');
  });

  test('what run.history() gives is what replay takes', async () => {
    await using c = await bench(sharedTemporal());
    await c.workflows.worker({ workflowsPath: sources('rides'), activities });
    const run = await c.workflows.start<typeof rides.hello>('hello', { id: c.id('recorded'), args: ['x'] });
    await run.result();
    const history = await run.history();
    expect(await replay({ workflowsPath: sources('rides'), histories: { mine: history } })).toEqual([{ name: 'mine' }]);
    const recorded = JSON.parse(await readFile(new URL('hello.json', histories), 'utf8')) as object;
    expect(Object.keys(JSON.parse(history))).toEqual(Object.keys(recorded));
  });
});
