import { backoff, isQuorateError, Latest, mayRetry, retry } from '@quorate/core';
import { type Acl, afterFailure, isStoppedBy, type ZooKeeper } from '@quorate/zookeeper';
import type { AnyElection, LeadOptions } from '../any-election.ts';
import { type Candidate, decodeCandidate } from '../candidate.ts';
import { acquires } from '../diagnostics.ts';
import { AlreadyCampaigningError } from '../errors/already-campaigning-error.ts';
import { HeldLease } from '../lease/held-lease.ts';
import { Hold, type OnSuspended } from '../lease/hold.ts';
import type { Lease } from '../lease/lease.ts';
import { tokenOf } from '../lease/token.ts';
import { electionKind } from '../line/kind.ts';
import { Line, type Place } from '../line/line.ts';
import { participants } from '../line/participant.ts';
import { watchLeader } from '../line/watch-leader.ts';
import { type AcquireOptions, checkAcquireOptions, within } from '../waiting/acquire-options.ts';

/** A term that is shorter than this, in milliseconds, was over at once. */
const soon = 1_000;

/** Who stands, and how. */
export interface Standing {
  readonly path: string;
  readonly id: string;
  readonly data: Buffer;
  readonly onSuspended: OnSuspended;
  readonly acl: readonly Acl[] | undefined;
}

/** Who stands in which session, by path and id. */
const standing = new WeakMap<ZooKeeper, Set<string>>();

/** An election as one session sees it. */
export class SessionElection implements AnyElection {
  readonly path: string;
  readonly id: string;
  readonly #line: Line;
  readonly #data: Buffer;
  readonly #onSuspended: OnSuspended;

  constructor(zk: ZooKeeper, { path, id, data, onSuspended, acl }: Standing) {
    this.path = path;
    this.id = id;
    this.#data = data;
    this.#onSuspended = onSuspended;
    this.#line = new Line(zk, path, electionKind, { acl });
  }

  async campaign(options: AcquireOptions = {}): Promise<Lease> {
    checkAcquireOptions(options);
    const withdraw = this.#stand();
    const wait = (): Promise<Place> =>
      within(this.path, options, (signal, onAhead) =>
        this.#line.enter({ mark: 'latch-', data: this.#data, signal, onAhead }),
      );
    try {
      const traced = acquires.hasSubscribers;
      const {
        path: node,
        token,
        provenAt,
      } = await (traced ? acquires.tracePromise(wait, { path: this.path, what: electionKind.what }) : wait());
      const hold = new Hold(this.#line.zk, {
        path: this.path,
        node,
        token,
        provenAt,
        onSuspended: this.#onSuspended,
        // A term is long, and a leader that was deposed by hand must hear of it.
        watched: true,
        onGone: withdraw,
      });
      return new HeldLease(hold);
    } catch (error) {
      withdraw();
      throw error;
    }
  }

  async lead(term: (lease: Lease) => unknown, { signal, onFailure = 'retry' }: LeadOptions = {}): Promise<void> {
    const delays = backoff({ min: 50, max: 5_000 });
    let failures = 0;
    while (!signal?.aborted) {
      const lease = await this.#elected(signal);
      if (!lease) return;
      const begun = performance.now();
      try {
        await this.#serve(lease, term, signal);
        failures = 0;
      } catch (error) {
        failures += 1;
        if ((await afterFailure(onFailure, error, failures)) === 'stop') throw error;
        // What a term says whose session is over is told of by that.
        this.#line.zk.lost.throwIfAborted();
        if (signal?.aborted) throw error;
      }
      // A term that is over at once must not keep the servers busy with elections.
      if (failures === 0 && performance.now() - begun > soon) delays.reset();
      else await delays.wait(signal ? { signal } : {}).catch(() => undefined);
    }
  }

  /** Undefined when `signal` has aborted. A server that is busy, or a reply that is lost, ends no campaign. */
  async #elected(signal: AbortSignal | undefined): Promise<Lease | undefined> {
    try {
      return await retry(() => this.campaign({ signal }), {
        attempts: Number.POSITIVE_INFINITY,
        min: 50,
        max: 1_000,
        when: (error) => !signal?.aborted && mayRetry(error, { idempotent: true }),
        signal: this.#line.zk.lost,
      });
    } catch (error) {
      if (signal?.aborted) return undefined;
      throw error;
    }
  }

  observe({
    signal,
  }: {
    readonly signal?: AbortSignal | undefined;
  } = {}): AsyncIterableIterator<Candidate | undefined, undefined> {
    checkAcquireOptions({ signal });
    const over = new AbortController();
    const aborted = (): void => leaders.fail(signal?.reason);
    const leaders = new Latest<Candidate | undefined>(() => {
      signal?.removeEventListener('abort', aborted);
      over.abort();
    });
    signal?.addEventListener('abort', aborted, { once: true });
    if (signal?.aborted) aborted();
    else {
      watchLeader(this.#line, over.signal, (leader) =>
        leaders.push(leader && decodeCandidate(tokenOf(this.#line.zk, this.path, leader.stat), leader.data)),
      ).catch((error) => {
        if (isQuorateError(error, 'session-closed')) leaders.finish();
        else leaders.fail(error);
      });
    }
    return leaders;
  }

  async candidates({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<Candidate[]> {
    try {
      return (await participants(this.#line, signal)).map(({ token, data }) => decodeCandidate(token, data));
    } catch (error) {
      if (isQuorateError(error, 'no-node')) return [];
      throw error;
    }
  }

  /** One term, from the lease to the end of its work. The lease ends when `signal` aborts, but is let go of after the work. */
  async #serve(lease: Lease, term: (lease: Lease) => unknown, signal: AbortSignal | undefined): Promise<void> {
    const resign = (): void => HeldLease.holdOf(lease)?.end('released', signal?.reason);
    if (signal?.aborted) resign();
    signal?.addEventListener('abort', resign, { once: true });
    try {
      await term(lease);
    } catch (error) {
      await lease.release().catch(() => undefined);
      if (!isStoppedBy(lease.signal, error)) throw error;
    } finally {
      signal?.removeEventListener('abort', resign);
    }
    await lease.release();
  }

  /** Refuses a second campaign under one id in one session. Returns how to end the first. */
  #stand(): () => void {
    const { zk } = this.#line;
    const names = standing.get(zk) ?? new Set();
    standing.set(zk, names);
    const name = `${this.path}\n${this.id}`;
    if (names.has(name)) throw new AlreadyCampaigningError(this.path, this.id);
    names.add(name);
    return () => names.delete(name);
  }
}
