import { DeadlineExceededError, sleep } from '@quorate/core';
import { Client } from './client.ts';
import { parseConnectString } from './connect-string.ts';
import { AuthFailedError } from './errors/auth-failed-error.ts';
import { type ConnectOptions, checkOptions } from './options.ts';
import { Session } from './session/session.ts';
import type { State } from './state.ts';
import type { ZooKeeper } from './zookeeper.ts';

/**
 * Begins a session and resolves when it is there.
 *
 *     await using zk = await connect('zk1:2181,zk2:2181,zk3:2181/app');
 *
 * The session keeps itself alive and connects again by itself, until it is closed or lost. A lost one never comes back:
 * connect again, and read again what you believed.
 */
export async function connect(servers: string, options: ConnectOptions = {}): Promise<ZooKeeper> {
  const settings = checkOptions(options);
  const { servers: parsed, chroot } = parseConnectString(servers);
  const { signal, timeout } = settings;
  signal?.throwIfAborted();
  const session = new Session(parsed, settings);
  const settled = new AbortController();
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      settled.abort();
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
      if (state === 'connected') resolve(new Client(session, chroot, settings));
      else reject(lastFailure instanceof AuthFailedError ? lastFailure : session.lost.reason);
    });
    const aborted = (): void => giveUp(signal?.reason);
    signal?.addEventListener('abort', aborted, { once: true });
    const timeUp = (): void => {
      const { lastFailure } = session;
      const why = lastFailure instanceof Error ? `; last: ${lastFailure.message}` : '';
      giveUp(new DeadlineExceededError(`no session at ${servers} within ${timeout} ms${why}`, { cause: lastFailure }));
    };
    sleep(timeout, { signal: settled.signal }).then(timeUp, () => undefined);
    session.run().catch(giveUp);
  });
}
