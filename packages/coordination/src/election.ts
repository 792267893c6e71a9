import { InvalidArgumentError, isQuorateError, Latest } from '@quorate/core';
import { checkPath, type ZooKeeper } from '@quorate/zookeeper';
import type { AnyElection } from './any-election.ts';
import { type Candidate, checkData, decodeCandidate, encodeCandidate } from './candidate.ts';
import { acquires } from './diagnostics.ts';
import { AlreadyCampaigningError } from './errors/already-campaigning-error.ts';
import { HeldLease } from './lease/held-lease.ts';
import { Hold, type OnSuspended } from './lease/hold.ts';
import type { Lease } from './lease/lease.ts';
import { electionKind } from './line/kind.ts';
import { Line, type Place } from './line/line.ts';
import { checkId, checkOnSuspended, defaultId, type LineOptions } from './line/line-options.ts';
import { participants } from './line/participant.ts';
import { watchLeader } from './line/watch-leader.ts';
import { type AcquireOptions, checkAcquireOptions, within } from './waiting/acquire-options.ts';

export interface ElectionOptions extends LineOptions {
  /** What others learn about the leader beside its id, such as its address. At most 64 kB. */
  readonly data?: Uint8Array | string | undefined;
}

/** Who stands in which session, by path and id. */
const standing = new WeakMap<ZooKeeper, Set<string>>();

/**
 * An election: of all who stand, one leads.
 *
 *     const election = new Election(zk, '/taxi/leader', { id: 'node-1', data: 'http://10.0.0.1:8080' });
 *     await election.lead(async (lease) => publish({ signal: lease.signal, token: lease.token }), { signal });
 *
 * Hazards: a leader that is stopped wakes up and acts. Pass `lease.signal` to all work of a term, guard writes to
 * ZooKeeper with the lease, and send its token with all others. Work that ignores the signal delays the next term of
 * this process, not that of others. What `observe` yields may be over by the time it is read.
 */
export class Election implements AnyElection {
  readonly path: string;
  readonly id: string;
  readonly #line: Line;
  readonly #data: Buffer;
  readonly #onSuspended: OnSuspended;

  constructor(
    zk: ZooKeeper,
    path: string,
    { id = defaultId(), data = '', onSuspended = 'stop' }: ElectionOptions = {},
  ) {
    checkPath(path);
    this.path = path;
    this.id = checkId(id);
    this.#data = encodeCandidate(id, checkData(data));
    this.#onSuspended = checkOnSuspended(onSuspended);
    this.#line = new Line(zk, path, electionKind);
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
        stat,
        provenAt,
      } = await (traced ? acquires.tracePromise(wait, { path: this.path, what: electionKind.what }) : wait());
      const hold = new Hold(this.#line.zk, {
        path: this.path,
        node,
        token: stat.czxid,
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

  async lead(
    term: (lease: Lease) => unknown,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    if (typeof term !== 'function') throw new InvalidArgumentError('term', 'a function', term);
    while (!signal?.aborted) {
      let lease: Lease;
      try {
        lease = await this.campaign({ signal });
      } catch (error) {
        if (signal?.aborted) return;
        throw error;
      }
      await this.#serve(lease, term, signal);
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
        leaders.push(leader && decodeCandidate(leader.stat.czxid, leader.data)),
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
      if (!stoppedBy(lease.signal, error)) throw error;
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

/** Work that stops because it was told to has not failed. */
function stoppedBy(signal: AbortSignal, error: unknown): boolean {
  if (!signal.aborted || !(error instanceof Error)) return false;
  return error === signal.reason || error.cause === signal.reason || error.name === 'AbortError';
}
