import { History, type Invocation } from '../src/history/history.ts';
import { type Seeded, seeded } from '../src/history/seeded.ts';

export interface SimulatedRun {
  readonly seed: number;
  readonly object: 'register' | 'casRegister' | 'counter' | 'mutex' | 'queue';
  readonly operations: number;
  readonly keys: number;
  readonly clients: number;
  /** The share of operations whose reply is lost; half of those happened. */
  readonly lost?: number;
  /** Gives one reply that is not true, once this share of the operations has begun. */
  readonly lieAfter?: number;
}

interface Request {
  readonly op: string;
  readonly input: Record<string, unknown>;
  /** Does it, in one step, and returns what to reply; undefined when the client must wait and try again later. */
  apply(): { readonly output?: unknown } | undefined;
}

type Make = (chance: Seeded, unique: () => number) => (client: number) => Request;

/** Objects that are right by construction: each request happens in one step. */
const objects: Record<SimulatedRun['object'], Make> = {
  register: (chance, unique) => {
    let held: number | null = null;
    return () => {
      if (chance.next() < 0.5) return { op: 'read', input: {}, apply: () => ({ output: held }) };
      const value = unique();
      const apply = () => {
        held = value;
        return {};
      };
      return { op: 'write', input: { value }, apply };
    };
  },

  casRegister: (chance) => {
    let held: number | null = null;
    return () => {
      const dice = chance.next();
      if (dice < 0.4) return { op: 'read', input: {}, apply: () => ({ output: held }) };
      const value = chance.integer(0, 4);
      if (dice < 0.6) {
        const apply = () => {
          held = value;
          return {};
        };
        return { op: 'write', input: { value }, apply };
      }
      const expect = chance.integer(0, 4);
      const apply = () => {
        const applies = held === expect;
        if (applies) held = value;
        return { output: applies };
      };
      return { op: 'cas', input: { expect, value }, apply };
    };
  },

  counter: (chance) => {
    let sum = 0;
    return () => {
      if (chance.next() < 0.3) return { op: 'read', input: {}, apply: () => ({ output: sum }) };
      const by = chance.integer(1, 3);
      const apply = () => {
        sum += by;
        return { output: sum };
      };
      return { op: 'add', input: { by }, apply };
    };
  },

  mutex: () => {
    let holder = -1;
    let token = 0n;
    const mine = new Map<number, bigint>();
    return (client) => {
      const held = mine.get(client);
      if (held !== undefined) {
        const apply = () => {
          holder = -1;
          mine.delete(client);
          return {};
        };
        return { op: 'release', input: { token: held }, apply };
      }
      const apply = () => {
        if (holder !== -1) return undefined;
        holder = client;
        token += 1n;
        mine.set(client, token);
        return { output: { token } };
      };
      return { op: 'acquire', input: {}, apply };
    };
  },

  queue: (chance, unique) => {
    const items: number[] = [];
    return () => {
      if (chance.next() < 0.5) return { op: 'dequeue', input: {}, apply: () => ({ output: items.shift() ?? null }) };
      const value = unique();
      const apply = () => {
        items.push(value);
        return {};
      };
      return { op: 'enqueue', input: { value }, apply };
    };
  },
};

/** The history of clients that use correct objects at the same time. Every reply is true unless asked otherwise. */
export function simulatedRun({ seed, object, operations, keys, clients, lost = 0, lieAfter }: SimulatedRun): History {
  const chance = seeded(seed);
  let now = 0;
  let last = 0;
  const history = new History({
    clock: () => {
      now += 0.01;
      return now;
    },
  });
  const unique = (): number => {
    last += 1;
    return last;
  };
  const things = Array.from({ length: keys }, () => objects[object](chance, unique));
  const busy: ({ invocation: Invocation; request: Request; reply?: { readonly output?: unknown } } | undefined)[] = [];
  let begun = 0;
  let lied = lieAfter === undefined;
  while (begun < operations || busy.some((work) => work !== undefined)) {
    const client = chance.integer(0, clients - 1);
    const work = busy[client];
    if (work === undefined) {
      if (begun >= operations) continue;
      begun += 1;
      // A client of the mutex stays with its key, or it would never come back to release.
      const key = object === 'mutex' ? client % keys : chance.integer(0, keys - 1);
      const request = (things[key] as (client: number) => Request)(client);
      const input = { key: `key-${key}`, ...request.input };
      busy[client] = { invocation: history.invoke(`client-${client}`, request.op, input), request };
    } else if (work.reply === undefined) {
      const vanishes = object !== 'mutex' && chance.next() < lost / 2;
      const reply = vanishes ? {} : work.request.apply();
      if (reply !== undefined) work.reply = vanishes ? { output: vanished } : reply;
      else if (begun >= operations) busy[client] = undefined;
    } else {
      busy[client] = undefined;
      const { output } = work.reply;
      if (output === vanished || (object !== 'mutex' && chance.next() < lost / 2)) {
        work.invocation.ambiguous('reply lost');
      } else if (!lied && begun > operations * (lieAfter ?? 1) && output !== undefined) {
        lied = true;
        work.invocation.ok(untrue(output));
      } else {
        work.invocation.ok(output);
      }
    }
  }
  return history;
}

const vanished = Symbol('vanished');

function untrue(output: unknown): unknown {
  if (typeof output === 'boolean') return !output;
  if (typeof output === 'number') return output - 1_000_000;
  if (output === null) return -1;
  return { token: 1n };
}
