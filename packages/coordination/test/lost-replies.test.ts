import { check, counter, History, type Seeded, seeded, verdictText } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { describe, expect } from 'vitest';
import { Counter, Group, Settings } from '../src/index.ts';
import { type Limits, limits } from './conformance/limits-schema.ts';
import { codeOf } from './conformance/store.ts';
import type { Fate } from './lossy.ts';
import { subject } from './subject.ts';

const test = bedTest({ zookeeper: 1 });

/** What becomes of the first writes; of those after them nothing. */
const courses: { readonly fates: readonly Fate[] }[] = [
  { fates: ['reply-lost'] },
  { fates: ['never-sent'] },
  { fates: ['answered', 'reply-lost'] },
  { fates: ['answered', 'never-sent'] },
  { fates: ['reply-lost', 'reply-lost'] },
  { fates: ['reply-lost', 'never-sent', 'reply-lost'] },
  { fates: ['never-sent', 'reply-lost', 'never-sent'] },
];

/** Fates by chance, which do not leave a client without a connection for most of the time. */
const anyFate = (random: Seeded): Fate =>
  random.next() < 0.6 ? 'answered' : random.next() < 0.6 ? 'reply-lost' : 'never-sent';

const first: Limits = { max: 0, names: [] };

// Each has a root of its own.
describe.concurrent('a counter', () => {
  test.for(courses)('counts each addition once when its writes are $fates', async ({ fates }, { bed }) => {
    await using s = await subject(bed, { root: `/additions-${fates.join('-')}` });
    s.fates.push(...fates);
    const rides = new Counter(s.zk, '/counter');
    expect(await rides.add(5n)).toBe(5n);
    s.fates.push(...fates);
    expect(await rides.add(7n)).toBe(12n);
    expect(await new Counter(s.witness, '/counter').get()).toBe(12n);
  });

  test.for([1, 15])('knows its own addition below %i that others have made since', async (many, { bed }) => {
    await using s = await subject(bed, { root: `/since-${many}` });
    const [ours, others] = [new Counter(s.zk, '/counter'), new Counter(s.witness, '/counter')];
    await ours.set(1_000n);
    s.fates.push('reply-lost');
    s.meanwhile = async () => {
      for (let i = 0; i < many; i += 1) await others.add(1n);
    };
    expect(await ours.add(100n)).toBe(1_100n);
    expect(await others.get()).toBe(1_100n + BigInt(many));
  });

  test('knows that others were faster, and adds to what they have made', async ({ bed }) => {
    await using s = await subject(bed, { root: '/faster' });
    const [ours, others] = [new Counter(s.zk, '/counter'), new Counter(s.witness, '/counter')];
    await ours.set(1_000n);
    s.fates.push('never-sent');
    const adding = ours.add(100n);
    await others.add(1n);
    expect(await adding).toBe(1_101n);
    expect(await others.get()).toBe(1_101n);
  });

  test('says that it cannot know when too many others have written since', async ({ bed }) => {
    await using s = await subject(bed, { root: '/too-many' });
    const [ours, others] = [new Counter(s.zk, '/counter'), new Counter(s.witness, '/counter')];
    await ours.set(1_000n);
    s.fates.push('reply-lost');
    s.meanwhile = async () => {
      for (let i = 0; i < 16; i += 1) await others.add(1n);
    };
    await expect(ours.add(100n)).rejects.toMatchObject({
      code: 'ambiguous',
      message: expect.stringContaining('/counter'),
    });
    expect(await others.get()).toBe(1_116n);
  });

  test('says that it cannot know when the node was deleted, made again, or written by hand', async ({ bed }) => {
    await using s = await subject(bed, { root: '/deleted' });
    const ours = new Counter(s.zk, '/counter');
    await ours.set(1n);
    s.fates.push('reply-lost');
    s.meanwhile = () => s.witness.delete('/counter');
    expect(await codeOf(ours.add(1n))).toBe('ambiguous');
    await ours.set(1n);
    // Made again, it may by now have the very version that was written.
    const others = new Counter(s.witness, '/counter');
    for (const changes of [1, 2, 3]) {
      await ours.set(1n);
      s.fates.push('reply-lost');
      s.meanwhile = async () => {
        await s.witness.delete('/counter');
        for (let i = 0; i < changes; i += 1) await others.add(1n);
      };
      expect(await codeOf(ours.add(100n))).toBe('ambiguous');
      expect(await ours.get()).toBe(BigInt(changes));
    }
    s.fates.push('reply-lost');
    s.meanwhile = async () => void (await s.witness.set('/counter', '500'));
    expect(await codeOf(ours.add(1n))).toBe('ambiguous');
    expect(await ours.get()).toBe(500n);
  });

  test('is not misled by who edits the number and copies the signatures along', async ({ bed }) => {
    await using s = await subject(bed, { root: '/copied' });
    const ours = new Counter(s.zk, '/counter');
    await ours.set(1n);
    s.fates.push('reply-lost');
    s.meanwhile = async () => {
      const { data } = await s.witness.get('/counter');
      await s.witness.set('/counter', data.toString().replace(/^\d+/, '500'));
    };
    expect(await ours.add(1n)).toBe(2n);
    expect(await ours.get()).toBe(500n);
  });

  test('says that it cannot know when the call is aborted with the write under way', async ({ bed }) => {
    await using s = await subject(bed, { root: '/aborted' });
    const ours = new Counter(s.zk, '/counter');
    await ours.set(1n);
    const controller = new AbortController();
    s.fates.push('reply-lost');
    s.meanwhile = async () => controller.abort(new Error('enough'));
    expect(await codeOf(ours.add(1n, { signal: controller.signal }))).toBe('ambiguous');
    expect(await ours.get()).toBe(2n);
  });

  test('says that it cannot know when the session is lost before it could find out', async ({ bed }) => {
    await using s = await subject(bed, { root: '/session-lost', sessionTimeout: 1_000 });
    const ours = new Counter(s.zk, '/counter');
    await ours.set(1n);
    s.fates.push('reply-lost');
    s.meanwhile = async () => {
      // Not let through again before it is too late.
      s.link.heal = async () => undefined;
    };
    const { heal } = Object.getPrototypeOf(s.link) as { heal: () => Promise<void> };
    expect(await codeOf(ours.add(1n))).toBe('ambiguous');
    expect(s.zk.state).toBe('lost');
    s.link.heal = heal.bind(s.link);
    expect(await new Counter(s.witness, '/counter').get()).toBe(2n);
  });

  test('a write that was held on its way and arrives late is not done beside its repetition', async ({ bed }) => {
    await using s = await subject(bed, { root: '/late', sessionTimeout: 1_500 });
    const [client] = s.link.parties;
    const ours = new Counter(s.zk, '/counter');
    let sum = 0n;
    for (let i = 0; i < 3; i += 1) {
      await ours.get();
      // Reads pass; from the next write on, nothing that we send does until the connection was given up.
      const set = s.zk.set.bind(s.zk);
      const holding = new Proxy(s.zk, {
        get: (target, name) =>
          name === 'set'
            ? async (...args: Parameters<typeof set>) => {
                await s.link.set({ blackHole: client });
                const writing = set(...args);
                const given = new Promise<void>((resolve) => {
                  const changed = (state: string): void => {
                    if (state === 'connected') return;
                    target.off('state', changed);
                    resolve();
                  };
                  target.on('state', changed);
                });
                void given.then(() => s.link.heal());
                return writing;
              }
            : Reflect.get(target, name, target),
      });
      sum = await new Counter(holding, '/counter').add(1n);
      await s.link.heal();
    }
    expect(sum).toBe(3n);
    await s.witness.sync('/counter');
    expect(await new Counter(s.witness, '/counter').get()).toBe(3n);
  });

  test.for([1, 2, 3])(
    'three clients add and read while replies are lost, and it stays one counter (seed %i)',
    async (seed, { bed }) => {
      const history = new History();
      const random = seeded(seed);
      await using stack = new AsyncDisposableStack();
      const clients = await Promise.all(
        [1, 2, 3].map(async () => stack.use(await subject(bed, { root: `/history-${seed}` }))),
      );
      await Promise.all(
        clients.map(async (s, index) => {
          const rides = new Counter(s.zk, '/counter');
          const chance = random.fork(`client ${index}`);
          for (let i = 0; i < 12; i += 1) {
            const by = BigInt(1 + Math.floor(chance.next() * 9));
            s.fates.push(anyFate(chance));
            const adding = history.run(`client-${index}`, 'add', { key: 'rides', by }, () => rides.add(by));
            await adding.catch(() => undefined);
            if (i % 4 === 0) await history.run(`client-${index}`, 'read', { key: 'rides' }, () => rides.get());
          }
        }),
      );
      await history.run('after', 'read', { key: 'rides' }, () =>
        new Counter((clients[0] as (typeof clients)[number]).witness, '/counter').get(),
      );
      for (const verdict of [check.linearizable(history, counter()), check.noLostUpdates(history)]) {
        expect(verdict.result, `seed ${seed}: ${verdictText(verdict)}`).toBe('valid');
      }
      const { operations } = history;
      expect(operations.filter(({ outcome }) => outcome === 'ok').length).toBeGreaterThan(0.9 * operations.length);
    },
  );
});

describe.concurrent('settings', () => {
  test.for(courses)('apply each update once when its writes are $fates', async ({ fates }, { bed }) => {
    await using s = await subject(bed, { root: `/updates-${fates.join('-')}` });
    s.fates.push(...fates);
    const settings = new Settings(s.zk, '/limits', limits, { default: first });
    const one = await settings.update(({ max }) => ({ max: max + 1, names: [] }));
    expect(one.value.max).toBe(1);
    s.fates.push(...fates);
    s.meanwhile = async () => {
      await new Settings(s.witness, '/limits', limits, { default: first }).update(({ max }) => ({
        max: max + 100,
        names: [],
      }));
      s.meanwhile = async () => undefined;
    };
    const two = await settings.update(({ max }) => ({ max: max + 1, names: [] }));
    const { value } = await settings.get();
    expect(value.max % 100).toBe(2);
    expect(two.value.max % 100).toBe(2);
  });

  test.for([1, 2, 3])(
    'three clients append while replies are lost: nothing is lost, nothing is there twice (seed %i)',
    async (seed, { bed }) => {
      const random = seeded(seed);
      await using stack = new AsyncDisposableStack();
      const clients = await Promise.all(
        [1, 2, 3].map(async () => stack.use(await subject(bed, { root: `/appending-${seed}` }))),
      );
      const [confirmed, doubtful]: string[][] = [[], []];
      await Promise.all(
        clients.map(async (s, index) => {
          const settings = new Settings(s.zk, '/limits', limits, { default: first });
          const chance = random.fork(`client ${index}`);
          for (let i = 0; i < 12; i += 1) {
            const name = `${index}-${i}`;
            s.fates.push(anyFate(chance));
            const append = settings.update(({ max, names }) => ({ max, names: [...names, name] }));
            const code = await codeOf(append);
            expect(['no error', 'ambiguous'], `seed ${seed}`).toContain(code);
            (code === 'no error' ? confirmed : doubtful)?.push(name);
          }
        }),
      );
      const { value } = await new Settings((clients[0] as (typeof clients)[number]).witness, '/limits', limits).get();
      const names = value?.names ?? [];
      expect(new Set(names).size, `seed ${seed}: twice in ${names}`).toBe(names.length);
      expect(names.filter((name) => !doubtful?.includes(name)).sort(), `seed ${seed}`).toEqual(confirmed?.sort());
      expect(confirmed?.length).toBeGreaterThan(30);
    },
  );
});

describe.concurrent('a group', () => {
  test.for(courses)('has one member for one join when its writes are $fates', async ({ fates }, { bed }) => {
    await using s = await subject(bed, { root: `/joins-${fates.join('-')}` });
    // There already, so that the create whose reply is lost is that of the member.
    await s.witness.create('/g');
    const group = new Group(s.zk, '/g');
    s.fates.push(...fates);
    const membership = await group.join({ id: 'one', data: '1' });
    const { czxid, ephemeralOwner } = (await s.witness.get('/g/one')).stat;
    expect([czxid, ephemeralOwner]).toEqual([membership.token, s.zk.id]);
    s.fates.push(...fates);
    await membership.update('2');
    expect((await group.members()).map(({ id, data }) => `${id}=${data}`)).toEqual(['one=2']);
    s.fates.push(...fates);
    await membership.leave();
    expect(await new Group(s.witness, '/g').members()).toEqual([]);
    expect(membership.signal.reason).toMatchObject({ code: 'lease-released' });
  });

  test('a second join of an id is refused, also when its create would not be answered', async ({ bed }) => {
    await using s = await subject(bed, { root: '/second-join' });
    const group = new Group(s.zk, '/g');
    await using first = await group.join({ id: 'one' });
    s.fates.push('never-sent');
    expect(await codeOf(group.join({ id: 'one' }))).toBe('already-joined');
    expect((await group.members()).map(({ token }) => token)).toEqual([first.token]);
  });

  test('leaving without an answer does not take away who came after', async ({ bed }) => {
    await using s = await subject(bed, { root: '/came-after' });
    const membership = await new Group(s.zk, '/g').join({ id: 'one' });
    const others = new Group(s.witness, '/g');
    s.fates.push('reply-lost');
    s.meanwhile = async () => void (await others.join({ id: 'one' }));
    await membership.leave();
    expect((await others.members()).map(({ session }) => session)).toEqual([s.witness.id]);
  });

  test.for(['reply-lost', 'never-sent'] as const)(
    'an aborted join leaves no member when its create is %s',
    async (fate, { bed }) => {
      await using s = await subject(bed, { root: `/aborted-${fate}` });
      await s.witness.create('/g');
      const group = new Group(s.zk, '/g');
      const controller = new AbortController();
      const reason = new Error('enough');
      s.fates.push(fate);
      s.meanwhile = async () => controller.abort(reason);
      const joining = group.join({ id: 'one' }, { signal: controller.signal });
      if (fate === 'never-sent') controller.abort(reason);
      await expect(joining).rejects.toBe(reason);
      // Waits until the former one is cleared away.
      const again = await group.join({ id: 'one' });
      expect((await group.members()).map(({ token }) => token)).toEqual([again.token]);
      await again.leave();
      expect(await new Group(s.witness, '/g').members()).toEqual([]);
    },
  );
});
