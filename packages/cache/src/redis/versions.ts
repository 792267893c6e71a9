import type { KeyNames } from './key-names.ts';
import { type Link, silence } from './link.ts';
import { versionMessage } from './message.ts';
import { move } from './scripts.ts';

/** Before anybody has moved it. */
const first = { number: 0, version: '0' };

/** Which version each namespace is at. */
export class Versions {
  readonly #link: Link;
  readonly #names: KeyNames;
  /** The latest of each that we know of: a later word never loses to an earlier one. */
  readonly #latest = new Map<string, { readonly number: number; readonly version: string }>();
  readonly #sure = new Set<string>();
  #hearing = false;

  constructor(link: Link, names: KeyNames) {
    this.#link = link;
    this.#names = names;
  }

  set hearing(hearing: boolean) {
    if (!hearing) this.#sure.clear();
    this.#hearing = hearing;
  }

  /** After a gap. */
  forget(): void {
    this.#sure.clear();
  }

  /** The version, where it is known for certain. */
  known(namespace: string): string | undefined {
    return this.#sure.has(namespace) ? this.#latest.get(namespace)?.version : undefined;
  }

  /** The version; while Redis does not answer, the last one that was known. */
  async current(namespace: string): Promise<string> {
    const known = this.known(namespace);
    if (known !== undefined) return known;
    const found = await this.#link.read(this.#names.version(namespace));
    if (found !== silence) {
      const [, number, version = ''] = /^(\d+) (.*)$/s.exec(found?.toString() ?? '') ?? [];
      this.told(
        namespace,
        ...(number === undefined ? ([first.number, first.version] as const) : ([Number(number), version] as const)),
      );
    }
    return (this.#latest.get(namespace) ?? first).version;
  }

  told(namespace: string, number: number, version: string): void {
    if (number >= (this.#latest.get(namespace)?.number ?? -1)) this.#latest.set(namespace, { number, version });
    if (this.#hearing) this.#sure.add(namespace);
  }

  /** Gives what the move is told as, undefined when a newer token has moved it. */
  async move(
    namespace: string,
    version: string,
    fence: bigint | undefined,
    fenceLife: number,
  ): Promise<'moved' | 'fenced' | typeof silence> {
    const record = this.#names.version(namespace);
    const reply = await this.#link.run(
      move,
      [record, `${record}:fence`],
      [version, fence?.toString() ?? '', String(fenceLife), this.#names.channel, ...versionMessage(namespace, version)],
    );
    if (reply === silence) return silence;
    if (reply === '0') return 'fenced';
    this.told(namespace, Number(reply), version);
    return 'moved';
  }
}
