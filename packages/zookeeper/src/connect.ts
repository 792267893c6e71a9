import { DeadlineExceededError, sleep } from '@quorate/core';
import { Client } from './client.ts';
import { AuthFailedError } from './errors/auth-failed-error.ts';
import { type ConnectOptions, checkOptions } from './options.ts';
import { EnsembleMembers } from './session/ensemble-members.ts';
import { ServerList, type Servers } from './session/server-list.ts';
import { Session } from './session/session.ts';
import type { State } from './state.ts';
import type { ZooKeeper } from './zookeeper.ts';

/** For a session that is over, and may not be so for the servers. */
const sessions = new WeakMap<ZooKeeper, Session>();

/** See `Session.farewell`. */
export async function farewell(zk: ZooKeeper, signal: AbortSignal): Promise<void> {
  await sessions.get(zk)?.farewell(signal);
}

/**
 * Begins a session and resolves when it is there.
 *
 *     await using zk = await connect('zk1:2181,zk2:2181,zk3:2181/app');
 *
 * In place of the servers it takes a function that gives them, which is asked before each round of attempts.
 *
 * The session keeps itself alive and connects again by itself, until it is closed or lost. A lost one never comes back:
 * connect again, and read again what you believed.
 */
export async function connect(servers: Servers, options: ConnectOptions = {}): Promise<ZooKeeper> {
  return await connectTo(new ServerList(servers), options);
}

/** The list may have served other sessions: what it has learnt is used again. */
export async function connectTo(list: ServerList, options: ConnectOptions): Promise<ZooKeeper> {
  const settings = checkOptions(options);
  const { signal, timeout, followReconfig } = settings;
  signal?.throwIfAborted();
  const session = new Session(list, settings);
  if (followReconfig) new EnsembleMembers(session, list);
  const settled = new AbortController();
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      // With a reason, for one that is made up for want of it would be kept with the session.
      settled.abort(true);
      stop();
      signal?.removeEventListener('abort', aborted);
    };
    const giveUp = (error: unknown): void => {
      settle();
      session.abandon();
      reject(error);
    };
    const stop = session.listen((state: State) => {
      settle();
      const { lastFailure } = session;
      if (state === 'connected') {
        const zk = new Client(session, list.chroot, settings);
        sessions.set(zk, session);
        resolve(zk);
      } else reject(lastFailure instanceof AuthFailedError ? lastFailure : session.lost.reason);
    });
    const aborted = (): void => giveUp(signal?.reason);
    signal?.addEventListener('abort', aborted, { once: true });
    const timeUp = (): void => {
      const { lastFailure } = session;
      const why = lastFailure instanceof Error ? `; last: ${lastFailure.message}` : '';
      giveUp(new DeadlineExceededError(`no session at ${list} within ${timeout} ms${why}`, { cause: lastFailure }));
    };
    sleep(timeout, { signal: settled.signal }).then(timeUp, () => undefined);
    session.run().catch(giveUp);
  });
}
