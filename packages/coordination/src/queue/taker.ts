import { randomUUID } from 'node:crypto';
import { isQuorateError } from '@quorate/core';
import type { ZooKeeper } from '@quorate/zookeeper';
import { proof } from '../lease/proof.ts';
import { tokenOf } from '../lease/token.ts';
import { remove } from '../line/removal.ts';
import { lastSegment } from '../path.ts';
import { NextChange } from '../waiting/next-change.ts';
import { upToDate } from '../waiting/up-to-date.ts';
import { Claim } from './claim.ts';
import type { Layout } from './layout.ts';
import { firstFree, predecessorOf } from './order.ts';
import type { Claimed } from './taken-item.ts';

type Attempt = Omit<Claimed, 'token' | 'item'>;

interface Seen {
  readonly line: readonly string[];
  readonly items: readonly string[];
  readonly claims: readonly string[];
}

/**
 * Somebody who wants an item, and stands in line for it: the first in line looks for items, each of the others waits for
 * the one before it. So one item wakes one taker.
 */
export class Taker {
  readonly #zk: ZooKeeper;
  readonly #layout: Layout;
  readonly #signal: AbortSignal | undefined;

  constructor(zk: ZooKeeper, layout: Layout, signal: AbortSignal | undefined) {
    this.#zk = zk;
    this.#layout = layout;
    this.#signal = signal;
  }

  /** When the wait is aborted it looks no further. It may bring an item all the same. */
  async take(): Promise<Claimed> {
    for (;;) {
      const standing = this.#standInLine();
      try {
        // Answers come in order, so what is read has the new place in it already.
        const [{ path }, seen] = await Promise.all([standing, this.#look()]);
        const claimed = await this.#takeAt(path, seen);
        if (claimed) return claimed;
      } catch (error) {
        standing.then(({ path }) => remove(this.#zk, path)).catch(() => undefined);
        throw error;
      }
    }
  }

  #standInLine(): Promise<{ readonly path: string }> {
    const options = { mode: 'ephemeral-sequential', acl: this.#layout.acl, signal: this.#signal } as const;
    return this.#zk.create(`${this.#layout.takers}/taker.`, '', options);
  }

  /** An item, when its turn has come; undefined when somebody has deleted the place in line. */
  async #takeAt(place: string, first: Seen): Promise<Claimed | undefined> {
    const own = lastSegment(place);
    for (let seen = first; ; ) {
      this.#signal?.throwIfAborted();
      const predecessor = predecessorOf(own, seen.line);
      if (predecessor === own) {
        seen = await upToDate(this.#zk, place, () => this.#look(), this.#signal);
        if (!seen.line.includes(own)) return undefined;
      } else if (predecessor !== undefined) {
        await this.#untilGone(`${this.#layout.takers}/${predecessor}`);
        seen = await this.#look();
      } else {
        const free = firstFree(seen.items, seen.claims) ?? (await this.#untilFree());
        const claimed = await this.#claim(free, place);
        if (claimed) return claimed;
        // What we knew is out of date, or our place in line is gone.
        seen = await upToDate(this.#zk, place, () => this.#look(), this.#signal);
      }
    }
  }

  async #look(): Promise<Seen> {
    const { takers, items, claims } = this.#layout;
    const options = { signal: this.#signal };
    const [line, put, claimed] = await Promise.all([
      this.#zk.children(takers, options),
      this.#zk.children(items, options),
      this.#zk.children(claims, options),
    ]);
    return { line: line.names, items: put.names, claims: claimed.names };
  }

  async #untilGone(path: string): Promise<void> {
    using change = new NextChange(this.#zk, this.#signal);
    try {
      await this.#zk.get(path, change.watched);
    } catch (error) {
      if (isQuorateError(error, 'no-node')) return;
      throw error;
    }
    await change.happened;
  }

  /** The first item that nobody has, as soon as there is one. */
  async #untilFree(): Promise<string> {
    for (;;) {
      using change = new NextChange(this.#zk, this.#signal);
      const [items, claims] = await Promise.all([
        this.#zk.children(this.#layout.items, change.watched),
        this.#zk.children(this.#layout.claims, change.watched),
      ]);
      const free = firstFree(items.names, claims.names);
      if (free !== undefined) return free;
      await change.happened;
    }
  }

  /** Claims an item and leaves the line, or neither: undefined when somebody was faster. */
  async #claim(name: string, place: string): Promise<Claimed | undefined> {
    const { items, claims, acl } = this.#layout;
    const id = randomUUID();
    const paths = { item: `${items}/${name}`, claim: `${claims}/${name}`, own: `${items}/${name}/${id}` };
    const provenAt = performance.now();
    const claiming = this.#zk
      .transaction()
      .create(paths.claim, id, { mode: 'ephemeral', acl })
      .create(paths.own, '', { mode: 'ephemeral', acl })
      .delete(place)
      .commit();
    // Not the taker's signal: it must become known what has become of the item, whoever waits.
    const change = new NextChange(this.#zk);
    try {
      const claimed = await this.#outcome(claiming, { paths, change, provenAt });
      if (!claimed) change[Symbol.dispose]();
      return claimed && { ...claimed, provenAt: await proof(this.#zk, paths.own, provenAt, undefined) };
    } catch (error) {
      // It may have been claimed all the same.
      new Claim(this.#zk, { paths, token: 0n, change, provenAt }).release().catch(() => undefined);
      throw error;
    }
  }

  async #outcome(claiming: Promise<unknown>, attempt: Attempt): Promise<Claimed | undefined> {
    try {
      const [claimed] = await Promise.all([this.#read(attempt), claiming]);
      return claimed;
    } catch (error) {
      if (isQuorateError(error, 'no-node') || isQuorateError(error, 'node-exists')) return undefined;
      if (!isQuorateError(error, 'ambiguous')) throw error;
      const [, claimed] = await Promise.all([this.#zk.sync(attempt.paths.own), this.#read(attempt)]);
      return claimed;
    }
  }

  /** The item and the claim on it; undefined when one of them is not there. */
  async #read({ paths, change, provenAt }: Attempt): Promise<Claimed | undefined> {
    try {
      const [item, { stat }] = await Promise.all([this.#zk.get(paths.item), this.#zk.get(paths.own, change.watched)]);
      return { paths, token: tokenOf(this.#zk, paths.own, stat), item, change, provenAt };
    } catch (error) {
      if (isQuorateError(error, 'no-node')) return undefined;
      throw error;
    }
  }
}
