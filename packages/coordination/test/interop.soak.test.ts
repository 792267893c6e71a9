import { sleep } from '@quorate/core';
import { check, eventually, History, type HistoryEvent, seeded, Testbed, verdictText } from '@quorate/testbed';
import { connect } from '@quorate/zookeeper';
import { expect, test } from 'vitest';
import { freshPath } from './conformance/store.ts';
import { InteropPeer, type Kind, whatIsMissing } from './interop/peer.ts';

const seconds = Number(process.env.QUORATE_SECONDS ?? 90);
const seed = Number(process.env.QUORATE_SEED ?? Math.trunc(Math.random() * 2 ** 31));
const kinds: readonly Kind[] = ['quorate', 'curator', 'kazoo'];
/** In milliseconds, for sessions of all kinds: whatever they ask for. */
const sessionTimeout = 4_000;

test.each(['lock', 'elect'] as const)(
  `%s: ours, Curator's and kazoo's exclude one another while they are killed and stopped; seed ${seed}`,
  async (recipe) => {
    const missing = await whatIsMissing();
    expect(missing).toBeUndefined();
    const chance = seeded(seed).fork(recipe);
    await using bed = await Testbed.start({
      zookeeper: { members: 1, config: { tickTime: 200, maxSessionTimeout: sessionTimeout } },
    });
    await using zk = await connect(bed.zookeeper.url);
    const path = freshPath(recipe);
    await zk.transaction().create(path).create(`${path}-counter`, '0').commit();
    const history = new History();
    const all: InteropPeer[] = [];
    await using stack = new AsyncDisposableStack();
    const start = async (kind: Kind): Promise<InteropPeer> => {
      const peer = stack.use(await InteropPeer.start(kind, all.length, bed.zookeeper.url));
      all.push(peer);
      peer.begin(recipe, path);
      return peer;
    };
    const living = await Promise.all([...kinds, ...kinds].map(start));

    const until = performance.now() + seconds * 1_000;
    while (performance.now() < until) {
      await sleep(chance.integer(50, 1_000));
      const index = chance.integer(0, living.length - 1);
      const peer = living[index] as InteropPeer;
      const what = chance.pick(['kill', 'stop', 'stop', 'stop for long'] as const);
      if (what === 'kill') {
        await peer[Symbol.asyncDispose]();
        history.fault('kill', peer.name).end();
        living[index] = await start(peer.kind);
        continue;
      }
      // The others do not know that their session is over until they are told, and would go on counting meanwhile.
      const isLong = what === 'stop for long' && peer.kind === 'quorate';
      await peer.pause();
      const pause = history.fault('pause', peer.name);
      await sleep(isLong ? 1.5 * sessionTimeout : chance.integer(50, sessionTimeout / 4));
      peer.wake();
      pause.end();
      if (!isLong) continue;
      await eventually('it has noticed', () => peer.hasEnded);
      living[index] = await start(peer.kind);
    }
    await Promise.all(living.map((peer) => peer.stop()));

    const whole = History.merge(history, ...all.map((peer) => peer.history));
    const held = whole.events.filter(({ type }) => type === 'held');
    const done = whole.events.filter((event) => event.type === 'released' && isFree(event));
    for (const kind of kinds) {
      const ofKind = held.filter((event) => event.type === 'held' && event.process.startsWith(kind));
      expect(ofKind.length, kind).toBeGreaterThan(seconds / 2);
    }
    for (const verdict of [check.exclusive(whole, { grace: 500 }), check.tokensIncrease(whole)]) {
      expect(verdict.result, `seed ${seed}: ${verdictText(verdict)}`).toBe('valid');
    }
    // Who was killed has counted, or not.
    const counted = Number((await zk.get(`${path}-counter`)).data);
    expect(counted).toBeGreaterThanOrEqual(done.length);
    expect(counted).toBeLessThanOrEqual(held.length);
    console.log(`${recipe}: ${all.length} processes, ${held.length} times held, ${counted} counted`);
  },
  (seconds + 120) * 1_000,
);

/** Let go of, and not lost. */
function isFree(event: HistoryEvent): boolean {
  return event.type === 'released' && (event.reason === undefined || event.reason === 'released');
}
