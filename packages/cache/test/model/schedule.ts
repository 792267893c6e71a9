import { type Seeded, seeded } from '@quorate/testbed';
import { type Way, ways } from './wire.ts';

export const processes = 3;

/**
 * What each key is tagged with. `late` learns of its tag when it has been loaded, `brief` is stale at once, `led` is read and
 * written under tokens, and `twin` may be asked for together with `a`.
 */
export const tagsOf = {
  plain: [],
  a: ['a'],
  b: ['b'],
  both: ['a', 'b'],
  late: ['a'],
  brief: ['a'],
  led: [],
  twin: ['a'],
} as const;
export type Key = keyof typeof tagsOf | 'space';
/** What is written without a token. */
export type Written = Exclude<Key, 'space' | 'led'>;
export const keys: readonly Key[] = [...(Object.keys(tagsOf) as (keyof typeof tagsOf)[]), 'space'];

export type Step =
  | { readonly do: 'get'; readonly by: number; readonly key: Key; readonly slow: boolean }
  /** `a` and `twin`, together. */
  | { readonly do: 'many'; readonly by: number; readonly slow: boolean }
  /** A caller that waits waits no longer: the one that has waited for longest. */
  | { readonly do: 'leave'; readonly by: number }
  /** `led`, under a token that nobody has had. */
  | { readonly do: 'lead'; readonly by: number; readonly how: 'get' | 'set' }
  | { readonly do: 'set'; readonly by: number; readonly key: Written }
  | { readonly do: 'delete'; readonly by: number; readonly key: Written }
  | { readonly do: 'invalidate'; readonly by: number; readonly tags: readonly ('a' | 'b')[] }
  | { readonly do: 'clear'; readonly by: number }
  | { readonly do: 'move'; readonly by: number }
  /** The oldest load that is under way ends. */
  | { readonly do: 'loaded' }
  | { readonly do: 'hold'; readonly by: number; readonly way: Way }
  | { readonly do: 'flow'; readonly by: number; readonly way: Way }
  | { readonly do: 'advance'; readonly by: number; readonly way: Way }
  | { readonly do: 'break'; readonly by: number; readonly reached: number; readonly late: boolean }
  /** What was on its way when a connection broke arrives after all. */
  | { readonly do: 'land'; readonly by: number }
  /** Another process takes its place, which has met nobody: what it hears of the server is held, or it cannot listen at first. */
  | { readonly do: 'renew'; readonly by: number; readonly first: 'held' | 'deaf' }
  | { readonly do: 'mend'; readonly by: number }
  | { readonly do: 'deafen'; readonly by: number };

/** The same seed gives the same steps: some by chance, and between them the beginnings of races that chance seldom makes. */
export function schedule(seed: number): readonly Step[] {
  const chance = seeded(seed);
  const liked = keys.filter(() => chance.next() < 0.35);
  const among = liked.length > 0 ? liked : [chance.pick(keys)];
  const steps: Step[] = [];
  const wander = (most: number): void => {
    for (let left = chance.integer(0, most); left > 0; left -= 1) steps.push(step(chance, among));
  };
  // What is read twice is what may be old.
  for (let by = 0; by < processes; by += 1) {
    for (const key of among) if (chance.next() < 0.6) steps.push({ do: 'get', by, key, slow: false });
  }
  for (let races = chance.integer(0, 2); races > 0; races -= 1) {
    wander(8);
    const by = chance.integer(0, processes - 1);
    const other = (by + chance.integer(1, processes - 1)) % processes;
    const key = chance.pick(among);
    for (const next of chance.pick(beginnings)(by, other, key, changeOf(chance, key))) {
      if (chance.next() < 0.2) wander(2);
      steps.push(next);
    }
  }
  wander(20);
  return steps;
}

type Change = (by: number) => Step;

/** How two of the three ways of a process can be made to overtake one another. */
const beginnings: readonly ((by: number, other: number, key: Key, change: Change) => readonly Step[])[] = [
  // Word is on its way while something later is known already.
  (by, other, key, change) => [
    get(by, key),
    { do: 'hold', by, way: 'word' },
    change(other),
    { do: 'invalidate', by, tags: [key === 'b' ? 'a' : 'b'] },
    get(by, key),
    { do: 'flow', by, way: 'word' },
  ],
  // A process changes something itself, and does not hear of it.
  (by, _other, key, change) => [get(by, key), { do: 'hold', by, way: 'word' }, change(by), get(by, key)],
  // A reply from before a gap is read after it.
  (by, other, key, change) => [
    { do: 'deafen', by },
    { do: 'mend', by },
    { do: 'hold', by, way: 'replies' },
    get(by, key),
    { do: 'advance', by, way: 'replies' },
    { do: 'deafen', by },
    change(other),
    { do: 'mend', by },
    { do: 'flow', by, way: 'replies' },
    get(by, key),
  ],
  // The same of the reply to a change of its own.
  (by, other, key, change) => [
    { do: 'hold', by, way: 'replies' },
    change(by),
    { do: 'deafen', by },
    get(other, key),
    change(other),
    { do: 'mend', by },
    { do: 'flow', by, way: 'replies' },
    get(by, key),
  ],
  // A caller leaves before what it has waited for arrives.
  (by, other, key, change) => [
    get(other, key),
    { do: 'hold', by, way: 'replies' },
    get(by, key),
    { do: 'leave', by },
    change(other),
    { do: 'flow', by, way: 'replies' },
    get(by, key),
  ],
  // What was given up for lost is done later.
  (by, other, key, change) => [
    get(other, key),
    { do: 'hold', by, way: 'requests' },
    change(by),
    { do: 'break', by, reached: 3, late: true },
    { do: 'flow', by, way: 'requests' },
    { do: 'mend', by },
    get(by, key),
    { do: 'land', by },
    get(by, key),
  ],
  // A leader of the past writes when another has read, or written.
  (by, other, _key, _change) => [
    { do: 'hold', by, way: 'requests' },
    { do: 'lead', by, how: 'set' },
    { do: 'lead', by: other, how: by > other ? 'get' : 'set' },
    { do: 'flow', by, way: 'requests' },
    get(other, 'led'),
  ],
  // A process that nobody has told anything is asked, and asked again.
  (by, other, key, change) => [
    get(other, key),
    { do: 'renew', by, first: 'deaf' },
    get(by, key),
    change(other),
    get(by, key),
  ],
  // The same of one that has met nobody yet.
  (by, other, key, change) => [
    change(by),
    { do: 'renew', by, first: 'held' },
    get(by, key),
    change(other),
    { do: 'flow', by, way: 'replies' },
    get(by, key),
  ],
  // A process that hears nothing is asked for several while it loads.
  (by, other, _key, _change) => [
    { do: 'invalidate', by, tags: ['a'] },
    { do: 'deafen', by },
    { do: 'many', by, slow: true },
    { do: 'invalidate', by: other, tags: ['a'] },
    { do: 'many', by, slow: false },
    { do: 'loaded' },
  ],
  // A process that hears nothing is asked again while it loads.
  (by, other, key, change) => [
    change(by),
    { do: 'deafen', by },
    { do: 'get', by, key, slow: true },
    change(other),
    get(by, key),
    { do: 'loaded' },
  ],
];

const get = (by: number, key: Key): Step => ({ do: 'get', by, key, slow: false });

/** Any change that concerns this key. */
function changeOf(chance: Seeded, key: Key, how?: 'set' | 'delete'): Change {
  if (key === 'space') return (by) => ({ do: 'move', by });
  if (key === 'led') return (by) => ({ do: 'lead', by, how: 'set' });
  if (how !== undefined) return (by) => ({ do: how, by, key });
  const kinds: Change[] = [
    (by) => ({ do: 'delete', by, key }),
    (by) => ({ do: 'set', by, key }),
    (by) => ({ do: 'clear', by }),
  ];
  const invalidation: Change = (by) => ({ do: 'invalidate', by, tags: [key === 'b' ? 'b' : 'a'] });
  return key !== 'plain' && chance.next() < 0.6 ? invalidation : chance.pick(kinds);
}

type Who = { readonly by: number; readonly key: Key; readonly way: Way };

const likely: readonly { readonly weight: number; readonly make: (chance: Seeded, who: Who) => Step }[] = [
  { weight: 14, make: (chance, { by, key }) => ({ do: 'get', by, key, slow: chance.next() < 0.4 }) },
  { weight: 2, make: (chance, { by, key }) => changeOf(chance, key, 'set')(by) },
  { weight: 2, make: (chance, { by, key }) => changeOf(chance, key, 'delete')(by) },
  { weight: 2, make: (chance, { by }) => ({ do: 'many', by, slow: chance.next() < 0.4 }) },
  { weight: 2, make: (_chance, { by }) => ({ do: 'leave', by }) },
  {
    weight: 4,
    make: (chance, { by }) => ({ do: 'invalidate', by, tags: chance.pick([['a'], ['b'], ['a', 'b']] as const) }),
  },
  { weight: 1, make: (_chance, { by }) => ({ do: 'clear', by }) },
  { weight: 5, make: () => ({ do: 'loaded' }) },
  { weight: 5, make: (_chance, { by, way }) => ({ do: 'hold', by, way }) },
  { weight: 4, make: (_chance, { by, way }) => ({ do: 'flow', by, way }) },
  { weight: 6, make: (_chance, { by, way }) => ({ do: 'advance', by, way }) },
  {
    weight: 1,
    make: (chance, { by }) => ({ do: 'break', by, reached: chance.integer(0, 3), late: chance.next() < 0.5 }),
  },
  { weight: 1, make: (_chance, { by }) => ({ do: 'land', by }) },
  { weight: 1, make: (chance, { by }) => ({ do: 'renew', by, first: chance.pick(['held', 'deaf'] as const) }) },
  { weight: 2, make: (_chance, { by }) => ({ do: 'mend', by }) },
  { weight: 1, make: (_chance, { by }) => ({ do: 'deafen', by }) },
];
const weights = likely.reduce((sum, { weight }) => sum + weight, 0);

function step(chance: Seeded, among: readonly Key[]): Step {
  const who: Who = { by: chance.integer(0, processes - 1), key: chance.pick(among), way: chance.pick(ways) };
  let left = chance.next() * weights;
  const kind = likely.find(({ weight }) => {
    left -= weight;
    return left < 0;
  });
  return (kind ?? (likely[0] as (typeof likely)[number])).make(chance, who);
}
