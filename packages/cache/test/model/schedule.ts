import { type Seeded, seeded } from '@quorate/testbed';
import { type Way, ways } from './wire.ts';

export const processes = 3;

/** What each key is tagged with; `late` learns of its tag when it has been loaded. */
export const tagsOf = { plain: [], a: ['a'], b: ['b'], both: ['a', 'b'], late: ['a'] } as const;
export type Key = keyof typeof tagsOf | 'space';
export const keys: readonly Key[] = ['plain', 'a', 'b', 'both', 'late', 'space'];

export type Step =
  | { readonly do: 'get'; readonly by: number; readonly key: Key; readonly slow: boolean }
  | { readonly do: 'set'; readonly by: number; readonly key: Exclude<Key, 'space'> }
  | { readonly do: 'delete'; readonly by: number; readonly key: Exclude<Key, 'space'> }
  | { readonly do: 'invalidate'; readonly by: number; readonly tags: readonly ('a' | 'b')[] }
  | { readonly do: 'clear'; readonly by: number }
  | { readonly do: 'move'; readonly by: number }
  /** The oldest load that is under way ends. */
  | { readonly do: 'loaded' }
  | { readonly do: 'hold'; readonly by: number; readonly way: Way }
  | { readonly do: 'flow'; readonly by: number; readonly way: Way }
  | { readonly do: 'advance'; readonly by: number; readonly way: Way }
  | { readonly do: 'break'; readonly by: number; readonly reached: number }
  | { readonly do: 'mend'; readonly by: number }
  | { readonly do: 'deafen'; readonly by: number };

/** The same seed gives the same steps: some by chance, and between them the beginnings of races that chance seldom makes. */
export function schedule(seed: number): readonly Step[] {
  const chance = seeded(seed);
  const liked = keys.filter(() => chance.next() < 0.5);
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
function changeOf(chance: Seeded, key: Key): Change {
  if (key === 'space') return (by) => ({ do: 'move', by });
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
  { weight: 2, make: (_chance, { by, key }) => (key === 'space' ? { do: 'move', by } : { do: 'set', by, key }) },
  { weight: 2, make: (_chance, { by, key }) => (key === 'space' ? { do: 'move', by } : { do: 'delete', by, key }) },
  {
    weight: 4,
    make: (chance, { by }) => ({ do: 'invalidate', by, tags: chance.pick([['a'], ['b'], ['a', 'b']] as const) }),
  },
  { weight: 1, make: (_chance, { by }) => ({ do: 'clear', by }) },
  { weight: 5, make: () => ({ do: 'loaded' }) },
  { weight: 5, make: (_chance, { by, way }) => ({ do: 'hold', by, way }) },
  { weight: 4, make: (_chance, { by, way }) => ({ do: 'flow', by, way }) },
  { weight: 6, make: (_chance, { by, way }) => ({ do: 'advance', by, way }) },
  { weight: 1, make: (chance, { by }) => ({ do: 'break', by, reached: chance.integer(0, 3) }) },
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
