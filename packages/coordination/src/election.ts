import { InvalidArgumentError } from '@quorate/core';
import { checkPath, type ZooKeeper } from '@quorate/zookeeper';
import { checkAccess } from './access.ts';
import { type AnyElection, checkLead, type LeadOptions } from './any-election.ts';
import { type Candidate, checkData, encodeCandidate } from './candidate.ts';
import { type AnySession, inEachSession, latestOfEach, perSession, sessionOf } from './each-session.ts';
import { SessionElection } from './election/session-election.ts';
import { checkAnySession } from './given-session.ts';
import type { Lease } from './lease/lease.ts';
import { checkId, checkOnSuspended, defaultId, type LineOptions } from './line/line-options.ts';
import { type AcquireOptions, checkAcquireOptions } from './waiting/acquire-options.ts';

export interface ElectionOptions extends LineOptions {
  /** What others learn about the leader beside its id, such as its address. At most 64 kB. */
  readonly data?: Uint8Array | string | undefined;
}

/**
 * An election: of all who stand, one leads.
 *
 *     await using sessions = new Sessions('zk1:2181,zk2:2181,zk3:2181');
 *     const election = new Election(sessions, '/taxi/leader', { id: 'node-1', data: 'http://10.0.0.1:8080' });
 *     await election.lead(async (lease) => publish({ signal: lease.signal, token: lease.token }), { signal });
 *
 * Over `Sessions` it goes on when a session is lost: it stands again in the next one. Over one session, as `connect` returns
 * it, it ends with that.
 *
 * Hazards: a leader that is stopped wakes up and acts. Pass `lease.signal` to all work of a term, guard writes to
 * ZooKeeper with the lease, and send its token with all others. Work that ignores the signal delays the next term of
 * this process; and where the session lives on, as after a short break, it keeps its place, and so delays all. What
 * `observe` yields may be over by the time it is read.
 */
export class Election implements AnyElection {
  readonly path: string;
  readonly id: string;
  readonly #session: AnySession;
  readonly #in: (zk: ZooKeeper) => SessionElection;

  constructor(
    session: AnySession,
    path: string,
    { id = defaultId(), data = '', onSuspended = 'stop', acl }: ElectionOptions = {},
  ) {
    checkAnySession(session);
    checkPath(path);
    this.path = path;
    this.id = checkId(id);
    const standing = {
      path,
      id,
      data: encodeCandidate(id, checkData(data)),
      onSuspended: checkOnSuspended(onSuspended),
      acl: checkAccess(acl),
    };
    this.#session = session;
    this.#in = perSession((zk) => new SessionElection(zk, standing));
  }

  /** In the session there is: the lease ends with it. */
  async campaign(options: AcquireOptions = {}): Promise<Lease> {
    checkAcquireOptions(options);
    return await this.#in(await sessionOf(this.#session, options.signal)).campaign(options);
  }

  async lead(term: (lease: Lease) => unknown, options: LeadOptions = {}): Promise<void> {
    if (typeof term !== 'function') throw new InvalidArgumentError('term', 'a function', term);
    const { signal, onFailure } = checkLead(options);
    await inEachSession(this.#session, signal, (zk, either) => this.#in(zk).lead(term, { signal: either, onFailure }));
  }

  observe({
    signal,
  }: {
    readonly signal?: AbortSignal | undefined;
  } = {}): AsyncIterableIterator<Candidate | undefined, undefined> {
    checkAcquireOptions({ signal });
    let told: bigint | undefined;
    const isNews = (leader: Candidate | undefined): boolean => {
      const token = leader?.token ?? 0n;
      const news = token !== told;
      told = token;
      return news;
    };
    return latestOfEach(this.#session, signal, (zk, either) => this.#in(zk).observe({ signal: either }), isNews);
  }

  async candidates({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<Candidate[]> {
    return await this.#in(await sessionOf(this.#session, signal)).candidates({ signal });
  }
}
