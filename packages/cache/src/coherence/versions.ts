import { randomUUID } from 'node:crypto';
import { RedisUnavailableError } from '../errors/redis-unavailable-error.ts';
import { doneOf, type KeyNames } from '../redis/key-names.ts';
import { type Link, type Silence, silence } from '../redis/link.ts';
import { versionMessage } from '../redis/message.ts';
import { move } from '../redis/scripts.ts';

/** Before anybody has moved it. */
const first: Latest = { number: 0, version: '0' };

interface Latest {
  readonly number: number;
  readonly version: string;
}

/** Which version each namespace is at. */
export class Versions {
  readonly #link: Link;
  readonly #names: KeyNames;
  /** The latest of each that we know of: a later word never loses to an earlier one. */
  readonly #latest = new Map<string, Latest>();
  readonly #sure = new Set<string>();
  /** Whether all that changes is heard. */
  readonly #hears: () => boolean;
  /** Rises with each gap: what is said before one is not certain after it. */
  #round = 0;

  constructor(link: Link, names: KeyNames, hears: () => boolean) {
    this.#link = link;
    this.#names = names;
    this.#hears = hears;
  }

  /** Things may have happened unheard: what was known before is not certain any more. */
  gap(): void {
    this.#round += 1;
    this.#sure.clear();
  }

  /** The version, where it is known for certain. */
  known(namespace: string): string | undefined {
    return this.#sure.has(namespace) && this.#hears() ? this.#latest.get(namespace)?.version : undefined;
  }

  /** The version. While Redis does not answer it is the last one that was known; a process that knows none cannot guess. */
  async current(namespace: string): Promise<string> {
    const known = this.known(namespace);
    if (known !== undefined) return known;
    const round = this.#round;
    const found = await this.#link.read(this.#names.version(namespace));
    if (found !== silence) {
      const { number, version } = parse(found?.toString()) ?? first;
      this.#take(namespace, number, version, round);
    }
    const latest = this.#latest.get(namespace);
    if (latest === undefined) throw new RedisUnavailableError(`asking for the version of ${namespace}`);
    return latest.version;
  }

  /** The version that stands in Redis, whatever this process remembers. Rejects with what Redis has answered. */
  async standing(namespace: string): Promise<string | Silence> {
    const round = this.#round;
    const record = this.#names.version(namespace);
    const found = await this.#link.ask(this.#link.nodes.of(record), () => this.#link.redis.get(record));
    if (found === silence) return silence;
    const { number, version } = parse(found ?? undefined) ?? first;
    this.#take(namespace, number, version, round);
    return version;
  }

  told(namespace: string, number: number, version: string): void {
    this.#take(namespace, number, version, this.#round);
  }

  #take(namespace: string, number: number, version: string, round: number): void {
    if (number >= (this.#latest.get(namespace)?.number ?? -1)) this.#latest.set(namespace, { number, version });
    if (round === this.#round) this.#sure.add(namespace);
  }

  async move(
    namespace: string,
    version: string,
    fence: bigint | undefined,
    life: { readonly fence: number; readonly done: number },
  ): Promise<'moved' | 'fenced' | Silence> {
    const record = this.#names.version(namespace);
    const bar = `${record}:fence`;
    const told = [this.#names.channel, ...versionMessage(namespace, version)];
    const round = this.#round;
    const seen = this.#latest.get(namespace)?.number ?? 0;
    const reply = await this.#link.run(
      move,
      [record, bar, doneOf(bar, randomUUID())],
      [version, fence?.toString() ?? '', String(life.fence), ...told, String(life.done), String(seen)],
    );
    if (reply === silence) return silence;
    if (reply === '0') return 'fenced';
    if (reply === 'done') {
      // It may have moved on since.
      const now = await this.standing(namespace);
      return now === silence ? silence : 'moved';
    }
    this.#take(namespace, Number(reply), version, round);
    return 'moved';
  }
}

function parse(record: string | undefined): Latest | undefined {
  const [, number, version = ''] = /^(\d+) (.*)$/s.exec(record ?? '') ?? [];
  return number === undefined ? undefined : { number: Number(number), version };
}
