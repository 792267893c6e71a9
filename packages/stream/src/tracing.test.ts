import { expect, test } from 'vitest';
import { harmless, type Tracing } from './tracing.ts';

const about = { topic: 't', id: 'a', key: undefined, bytes: 1 };
const handling = { topic: 't', partition: 0, offset: 0n, group: 'g', id: undefined, attempt: 1, headers: {} };
const sent = { partition: 0, offset: 1n };
const nothing = (): void => {};

const broken: Record<string, (work: () => Promise<unknown>) => unknown> = {
  'throws at once': () => {
    throw new Error('no tracer');
  },
  'fails before the work': async () => {
    throw new Error('no tracer');
  },
  'fails after the work': async (work) => {
    await work();
    throw new Error('no tracer');
  },
  'never begins the work': async () => undefined,
  'does the work twice': async (work) => {
    await work();
    return await work();
  },
  'hides what came of it': async (work) => {
    await work().catch(nothing);
    return 'something else';
  },
};

for (const [what, trace] of Object.entries(broken))
  test(`a tracer that ${what} changes nothing of what is sent and handled`, async () => {
    const tracing = harmless({
      send: (_: unknown, __: unknown, work: () => Promise<unknown>) => trace(work),
      create: (_: unknown, __: unknown, work: () => Promise<unknown>) => trace(work),
      handle: (_: unknown, work: () => Promise<unknown>) => trace(work),
    } as unknown as Tracing);
    const calls: string[] = [];
    const ways: Record<string, <T>(work: () => Promise<T>) => Promise<T>> = {
      send: (work) => tracing.send(about, nothing, work as never) as never,
      create: (work) => tracing.create(about, nothing, work),
      handle: (work) => tracing.handle(handling, work),
    };
    for (const [name, around] of Object.entries(ways)) {
      const work = async (): Promise<typeof sent> => {
        calls.push(name);
        return sent;
      };
      expect(await around(work)).toBe(sent);
      const failing = around(async () => {
        throw new Error('the work failed');
      });
      await expect(failing).rejects.toThrow('the work failed');
    }
    expect(calls).toEqual(['send', 'create', 'handle']);
  });

test('one that knows nothing of what is sent later does without', async () => {
  const tracing = harmless({ send: (_, __, work) => work(), handle: (_, work) => work() });
  expect(await tracing.create(about, nothing, async () => 5)).toBe(5);
});
