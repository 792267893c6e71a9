import { InvalidArgumentError } from '@quorate/core';
import type { ZooKeeper } from '@quorate/zookeeper';
import { type AnySession, areSessions } from './each-session.ts';

/** Refuses what is no session when it is given, before a method of it is missed. */
export function checkSession(zk: ZooKeeper): void {
  if (!isSession(zk)) throw new InvalidArgumentError('zk', `a session, not ${described(zk)}`);
}

/** The same where Sessions will do as well. */
export function checkAnySession(session: AnySession): void {
  if (isSession(session) || areSessions(session)) return;
  throw new InvalidArgumentError('session', `Sessions or a session, not ${described(session)}`);
}

function isSession(given: unknown): boolean {
  return typeof (given as Partial<ZooKeeper> | null | undefined)?.transaction === 'function';
}

/** What it is, and what was meant by it. Not shown: a connect string may contain a password. */
function described(given: unknown): string {
  if (typeof given === 'string') return 'a string: await connect(…)';
  if (typeof given !== 'object' || given === null) return given === null ? 'null' : typeof given;
  if ('then' in given) return 'a promise: await connect(…)';
  return areSessions(given as AnySession) ? 'Sessions: await sessions.session()' : 'another object';
}
