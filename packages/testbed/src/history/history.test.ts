import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AmbiguousError, DeadlineExceededError, InvalidArgumentError, QuorateError } from '@quorate/core';
import { describe, expect, test } from 'vitest';
import { History } from './history.ts';
import { describe as described } from './operation.ts';

function ticking(step = 1): () => number {
  let now = 0;
  return () => {
    now += step;
    return now;
  };
}

describe('recording', () => {
  test('pairs what was asked with how it ended', () => {
    const history = new History({ clock: ticking() });
    const write = history.invoke('client-1', 'write', { key: 'x', value: 1 });
    const read = history.invoke('client-2', 'read', { key: 'x' });
    history.invoke('client-3', 'write', { key: 'x', value: 2 });
    read.ok(1);
    write.ambiguous(new AmbiguousError('reply lost'));
    expect(history.operations).toEqual([
      expect.objectContaining({
        process: 'client-1',
        outcome: 'ambiguous',
        error: 'AmbiguousError: reply lost',
        invokedAt: 1,
      }),
      expect.objectContaining({ process: 'client-2', outcome: 'ok', output: 1, invokedAt: 2, completedAt: 4 }),
      expect.objectContaining({ process: 'client-3', outcome: 'pending', completed: Number.POSITIVE_INFINITY }),
    ]);
    expect(history.operations.map(described)).toEqual([
      'write x 1 -> ambiguous (AmbiguousError: reply lost)',
      'read x -> 1',
      'write x 2 -> pending',
    ]);
  });

  test('counts what happened', () => {
    const history = new History();
    for (const outcome of ['ok', 'ok', 'failed', 'ambiguous'] as const) history.invoke('a', 'write')[outcome]();
    history.invoke('a', 'write');
    history.fault('kill', 'zk-1').end();
    history.fault('kill', 'zk-2');
    history.fault('partition', ['zk-1', 'zk-2']);
    history.held('a', 'leader', 1n);
    expect(history.counts).toEqual({
      operations: 5,
      ok: 2,
      failed: 1,
      ambiguous: 1,
      pending: 1,
      faults: { kill: 2, partition: 1 },
      holdings: 1,
    });
  });

  test('an operation completes once', () => {
    const history = new History();
    const op = history.invoke('client-1', 'read');
    op.ok(1);
    expect(() => op.failed('no')).toThrow('read of client-1 was completed twice');
    expect(history.operations[0]).toMatchObject({ outcome: 'ok', output: 1 });
  });

  test('an output that cannot be recorded leaves the operation open, to be completed otherwise', () => {
    const history = new History();
    const op = history.invoke('client-1', 'read');
    expect(() => op.ok(new Map())).toThrow(InvalidArgumentError);
    op.ok(1);
    expect(history.operations[0]).toMatchObject({ outcome: 'ok' });
  });

  test('time never goes back, whatever the clock does', () => {
    const times = [5, 3, 4, 9];
    const history = new History({ clock: () => times.shift() ?? 9 });
    for (const name of ['a', 'b', 'c', 'd']) history.note(name);
    expect(history.events.map(({ at }) => at)).toEqual([5, 5, 5, 9]);
  });

  test('the clock is the machine’s, the same in every process of it', () => {
    const before = Number(process.hrtime.bigint()) / 1e6;
    const history = new History();
    history.note('now');
    expect(history.events[0]?.at).toBeGreaterThanOrEqual(before);
    expect(history.events[0]?.at).toBeLessThan(before + 10_000);
  });

  test('writes each event as it happens, for a process that will be killed', () => {
    const lines: string[] = [];
    const history = new History({ clock: ticking(), write: (line) => lines.push(line) });
    history.held('node-1', 'leader', 7n).released('lost');
    history.fault('kill', 'node-1').end();
    expect(lines.join('')).toBe(history.toJsonLines());
  });

  test('refuses more events than its limit', () => {
    const history = new History({ limit: 1 });
    history.note('one');
    expect(() => history.note('two')).toThrow('the history is full: 1 events');
  });
});

describe('run', () => {
  test.each([
    [new AmbiguousError('reply lost'), 'ambiguous'],
    [new DeadlineExceededError('too slow'), 'ambiguous'],
    [new TypeError('who knows'), 'ambiguous'],
    [Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }), 'ambiguous'],
    // It may be asked again, and says nothing about what became of it.
    [new QuorateError('no answer', { code: 'agent-unreachable', retryable: true }), 'ambiguous'],
    [new QuorateError('the session is lost', { code: 'session-lost' }), 'ambiguous'],
    [new QuorateError('no such node', { code: 'no-node', happened: 'no' }), 'failed'],
    [new InvalidArgumentError('path', 'a path'), 'failed'],
  ])('takes %s for %s, and passes it on', async (error, outcome) => {
    const history = new History();
    const work = (): never => {
      throw error;
    };
    await expect(history.run('client-1', 'write', { value: 1 }, work)).rejects.toBe(error);
    expect(history.operations[0]).toMatchObject({ outcome });
  });

  test('records the result, or the part of it that was asked for', async () => {
    const history = new History();
    await expect(history.run('client-1', 'read', {}, async () => 5n)).resolves.toBe(5n);
    const lease = { token: 7n, release: () => undefined };
    const output = ({ token }: { token: bigint }): unknown => ({ token });
    await expect(history.run('client-1', 'acquire', {}, () => lease, { output })).resolves.toBe(lease);
    expect(history.operations.map((operation) => operation.output)).toEqual([5n, { token: 7n }]);
  });

  test('a result that cannot be recorded does not make work that was done look as if it was not', async () => {
    const [inner, outer] = [new History(), new History()];
    const work = (): Promise<Date> => inner.run('ann', 'write', null, () => new Date(0));
    await expect(outer.run('ann', 'write', null, work)).rejects.toMatchObject({
      code: 'invalid-argument',
      happened: 'unknown',
    });
    expect(inner.operations[0]?.outcome).toBe('pending');
    expect(outer.operations[0]?.outcome).toBe('ambiguous');
  });

  test('passes on what is thrown, whatever it is', async () => {
    const history = new History();
    const odd: object = Object.create(null);
    const work = (): never => {
      throw odd;
    };
    expect(await history.run('ann', 'write', null, work).catch((thrown) => thrown)).toBe(odd);
    expect(history.operations[0]?.outcome).toBe('ambiguous');
  });

  test('lets the caller say which errors are certain', async () => {
    const history = new History();
    const failed = (error: unknown): boolean => (error as { code?: string }).code === 'ECONNREFUSED';
    const work = (): never => {
      throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    };
    await expect(history.run('client-1', 'write', {}, work, { failed })).rejects.toThrow('refused');
    expect(history.operations[0]).toMatchObject({ outcome: 'failed' });
  });
});

describe('merge', () => {
  test('puts histories together in order of time, with their own ids kept apart', () => {
    let now = 0;
    const at = (time: number): void => {
      now = time;
    };
    const one = new History({ clock: () => now });
    const two = new History({ clock: () => now });
    at(1);
    const a = one.invoke('a', 'write', { value: 1 });
    at(2);
    const b = two.invoke('b', 'write', { value: 2 });
    at(3);
    b.ok();
    at(4);
    a.ok();
    const merged = History.merge(one, two);
    expect(merged.events.map((event) => event.at)).toEqual([1, 2, 3, 4]);
    expect(merged.operations.map(({ process, outcome, completedAt }) => [process, outcome, completedAt])).toEqual([
      ['a', 'ok', 4],
      ['b', 'ok', 3],
    ]);
    merged.invoke('c', 'read').ok(2);
    expect(merged.operations).toHaveLength(3);
  });

  test('at one time, takes what began as begun before what ended, and let go before taken', () => {
    const clock = (): number => 1;
    const one = new History({ clock });
    one.invoke('a', 'write', { value: 1 }).ok();
    one.released('a', 'leader', 1n);
    const two = new History({ clock });
    two.invoke('b', 'read').ok(null);
    two.held('b', 'leader', 2n);
    const [write, read] = History.merge(two, one).operations;
    expect(write?.completed).toBeGreaterThan(read?.invoked ?? Number.POSITIVE_INFINITY);
    expect(read?.completed).toBeGreaterThan(write?.invoked ?? Number.POSITIVE_INFINITY);
    expect(History.merge(two, one).events.at(-1)?.type).toBe('held');
  });

  test('follows a message from one process’s history to the other’s', () => {
    const clock = ticking();
    const one = new History({ clock });
    const two = new History({ clock });
    const { id } = one.message('a', 'b', 'hello');
    two.received(id);
    expect(History.merge(two, one).events.map(({ type }) => type)).toEqual(['sent', 'received']);
  });
});

test('is saved and loaded as it was', async () => {
  const history = new History({ clock: ticking(0.001) });
  history.note('seed', { seed: 7 });
  history.invoke('client-1', 'acquire', { key: 'lock' }).ok({ token: 2n ** 70n });
  history.held('client-1', 'lock', 2n ** 70n).released('lost');
  history.fault('partition', ['zk-1', 'zk-2'], { from: ['zk-3'] }).end();
  history.message('client-1', 'zk-1').received();
  const folder = await mkdtemp(join(tmpdir(), 'quorate-history-'));
  try {
    const file = join(folder, 'history.jsonl');
    await history.save(file);
    expect((await History.load(file)).events).toEqual(history.events);
  } finally {
    await rm(folder, { recursive: true });
  }
});
