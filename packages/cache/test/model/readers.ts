import type { GetOptions, Load } from '../../src/index.ts';
import type { Process, Scene } from './scene.ts';
import { type Key, tagsOf } from './schedule.ts';

interface Reading {
  readonly by: number;
  readonly token: number | undefined;
  readonly leave: () => void;
}

/** Those who ask processes for values, and may leave before they have them. */
export class Readers {
  /** What was asked for. */
  readonly known = new Set<Key>();
  readonly #scene: Scene;
  readonly #loads: (() => void)[] = [];
  readonly #reading = new Set<Reading>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  get(process: Process, key: Key, slow: boolean): void {
    const { cache } = process;
    const load = this.#loader(key, slow);
    this.#read(process, [key], async (signal) => {
      if (key === 'space') {
        const versioned: Load<number> = ({ version }) => this.#paced(Number(version), slow);
        return [await cache.namespace('space').get(key, versioned, { signal })];
      }
      const options: GetOptions<number> = { signal, tags: key === 'late' ? [] : tagsOf[key] };
      if (key === 'late') {
        const tagging: Load<number> = (context) => {
          context.keep({ tags: ['a'] });
          return load();
        };
        return [await cache.get(key, tagging, options)];
      }
      return [await cache.get(key, load, { ...options, ...(key === 'brief' && { ttl: 1 }) })];
    });
  }

  many(process: Process, slow: boolean): void {
    const { changes, proved } = this.#scene;
    const about = ['a', 'twin'] as const;
    this.#read(process, about, async (signal) => {
      const load = async (missing: readonly string[]): Promise<Map<string, number>> => {
        const found = new Map(missing.map((key) => [key, changes.at(key as Key)]));
        return await this.#paced(found, slow);
      };
      const found = await process.cache.getMany<number>(about, load, { signal, tags: tagsOf.a });
      proved.many += 1;
      return about.map((key) => found.get(key) as number);
    });
  }

  /** Under a token it is what was written last, whatever the process remembers. */
  underToken(
    process: Process,
    token: number,
    signal: AbortSignal,
    over: (work: Promise<unknown>) => Promise<void>,
  ): void {
    const ask = async (): Promise<readonly number[]> => {
      const read = process.cache.get('led', this.#loader('led', false), { fence: BigInt(token), signal });
      await over(read);
      return [await read];
    };
    this.#read(process, ['led'], ask, token);
  }

  /** The one that has waited for longest. A load under a token goes on, and tells of it: see `Writers.lead`. */
  leave(by: number): void {
    const first = [...this.#reading].find((reading) => reading.by === by && reading.token === undefined);
    if (first === undefined) return;
    this.#scene.proved.left += 1;
    first.leave();
  }

  leaveAll(): void {
    for (const { leave } of this.#reading) leave();
  }

  /** The oldest load that is under way ends. False when there is none. */
  loaded(): boolean {
    const oldest = this.#loads.shift();
    oldest?.();
    return oldest !== undefined;
  }

  /** What a loader finds is what stands there when it begins. */
  #loader(key: Key, slow: boolean): () => Promise<number> {
    return () => this.#paced(this.#scene.changes.at(key), slow);
  }

  async #paced<T>(value: T, slow: boolean): Promise<T> {
    if (slow) await new Promise<void>((resolve) => this.#loads.push(resolve));
    return value;
  }

  #read(
    { by, wire }: Process,
    about: readonly Key[],
    ask: (signal: AbortSignal) => Promise<readonly number[]>,
    token?: number,
  ): void {
    const scene = this.#scene;
    const { changes, proved, step } = scene;
    for (const key of about) this.known.add(key);
    const least = about.map((key) => changes.least(by, key, wire));
    const breaks = wire.reachable ? wire.breaks : Number.NaN;
    const isNew = wire.isNew;
    const leaving = new AbortController();
    const reading = { by, token, leave: () => leaving.abort() };
    this.#reading.add(reading);
    const check = (values: readonly number[]): void => {
      if (isNew) proved.unmet += 1;
      for (const [index, key] of about.entries()) {
        const { sure, asked, written } = least[index] as (typeof least)[number];
        if (sure > 0) proved.checked += 1;
        const reached = changes.reached(key, values[index] as number);
        // A process that has been cut off from everything gives what it has, for as long as it is trusted.
        const heard = wire.breaks === breaks ? asked : sure;
        const promised = token === undefined ? heard : Math.max(heard, written);
        scene.tell(`   ${by} gets ${reached} for ${key}, asked for at ${step}; promised: ${promised}`);
        if (!(reached >= promised)) scene.breach();
      }
    };
    const answer = ask(leaving.signal).then(check, () => {});
    scene.follow(answer.finally(() => this.#reading.delete(reading)));
  }
}
