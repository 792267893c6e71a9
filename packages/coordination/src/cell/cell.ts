import { randomBytes } from 'node:crypto';
import { AmbiguousError, backoff, isQuorateError } from '@quorate/core';
import { type Acl, checkPath, type Stat, type ZooKeeper } from '@quorate/zookeeper';
import { type AccessOptions, checkAccess } from '../access.ts';
import { ContendedError } from '../errors/contended-error.ts';
import { parseSignedText, type Signature, signedText, type TextKind } from './signed-text.ts';

/** What a cell holds. There is no text where there is no node, or one that somebody has made without data. */
export interface Content {
  readonly text: string | undefined;
  /** The version of the node; undefined where there is no text. */
  readonly version: number | undefined;
}

interface Found extends Content {
  readonly stat: Stat | undefined;
  readonly signatures: readonly Signature[];
}

/** The text to be written, or undefined to leave what is there. */
type Change = (text: string | undefined) => string | undefined | Promise<string | undefined>;

/** Whoever has been outrun so often stops giving way, so that newcomers cannot outrun it for ever. */
const patience = 6;
/** Nobody is outrun so often unless the cell is no place for so many writers. */
const mostAttempts = 200;

/**
 * A node with one text, replaced only by who has read what it replaces. A write whose reply is lost is looked for, by
 * its signature, so that it is done once; where that cannot be known the error is an `AmbiguousError`.
 */
export class Cell {
  readonly path: string;
  readonly #zk: ZooKeeper;
  readonly #kind: TextKind;
  readonly #acl: readonly Acl[] | undefined;

  constructor(zk: ZooKeeper, path: string, kind: TextKind, { acl }: AccessOptions = {}) {
    checkPath(path);
    this.#acl = checkAccess(acl);
    this.path = path;
    this.#zk = zk;
    this.#kind = kind;
  }

  /** What was written before the call, by anybody, is seen. */
  async read(signal: AbortSignal | undefined): Promise<Content> {
    return await this.#read(signal);
  }

  /** Replaces the text, reading and asking `change` again for as long as others are faster. */
  async update(change: Change, signal: AbortSignal | undefined): Promise<Content> {
    const pauses = backoff({ min: 4, max: 100, jitter: 1 });
    for (let attempt = 1; attempt <= mostAttempts; attempt += 1) {
      const before = await this.#read(signal);
      const text = await change(before.text);
      signal?.throwIfAborted();
      if (text === undefined) return before;
      const stat = before.stat ?? (await this.#create(signal));
      const after = stat && (await this.#replace({ ...before, stat }, text, signal));
      if (after) return after;
      if (pauses.attempt >= patience) pauses.reset();
      await pauses.wait(signal ? { signal } : {});
    }
    throw new ContendedError(this.path, mostAttempts);
  }

  async #read(signal: AbortSignal | undefined): Promise<Found> {
    try {
      // One round trip: they are answered in order, and the member may lag behind what others have been told.
      const [, { data, stat }] = await Promise.all([
        this.#zk.sync(this.path, { signal }),
        this.#zk.get(this.path, { signal }),
      ]);
      if (data.length === 0) return { text: undefined, version: undefined, stat, signatures: [] };
      return { ...parseSignedText(this.path, this.#kind, data), version: stat.version, stat };
    } catch (error) {
      if (!isQuorateError(error, 'no-node')) throw error;
      return { text: undefined, version: undefined, stat: undefined, signatures: [] };
    }
  }

  /** An empty node, which means nothing yet: so a lost reply does no harm. Undefined when it must be looked at again. */
  async #create(signal: AbortSignal | undefined): Promise<Stat | undefined> {
    try {
      const { stat } = await this.#zk.create(this.path, '', { acl: this.#acl, parents: true, signal });
      return stat;
    } catch (error) {
      if (isQuorateError(error, 'node-exists')) return undefined;
      if (!isQuorateError(error, 'ambiguous')) throw error;
      signal?.throwIfAborted();
      return undefined;
    }
  }

  /** Undefined when somebody else was faster. */
  async #replace(
    { stat, signatures }: Found & { readonly stat: Stat },
    text: string,
    signal: AbortSignal | undefined,
  ): Promise<Content | undefined> {
    const signature = { version: stat.version + 1, mark: randomBytes(9).toString('base64url') };
    const data = signedText(this.#kind, { text, signatures: [signature, ...signatures] });
    try {
      await this.#zk.set(this.path, data, { version: stat.version, signal });
    } catch (error) {
      if (isQuorateError(error, 'bad-version') || isQuorateError(error, 'no-node')) return undefined;
      if (!isQuorateError(error, 'ambiguous') || signal?.aborted) throw error;
      if (!(await this.#happened(stat.czxid, signature, error, signal))) return undefined;
    }
    return { text, version: signature.version };
  }

  /**
   * Whether a write with a lost reply was done. When it was not it never will be: from the moment a session has another
   * connection, the servers take nothing from the one before.
   */
  async #happened(
    czxid: bigint,
    { version, mark }: Signature,
    cause: Error,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const doubt = (why: string): AmbiguousError =>
      new AmbiguousError(
        `${this.path}: the reply to an update was lost, and ${why}, so it may or may not have happened; read before updating again`,
        { cause },
      );
    const { stat, signatures } = await this.#read(signal).catch((error: Error) => {
      throw doubt(`the node could not be read after it (${error.message})`);
    });
    if (stat?.czxid !== czxid) throw doubt('the node has been deleted since');
    if (stat.version < version) return false;
    const signed = signatures.find((each) => each.version === version);
    if (signed) return signed.mark === mark;
    // Ours would have been signed.
    if (stat.version === version) return false;
    throw doubt('others have written too often since');
  }
}
