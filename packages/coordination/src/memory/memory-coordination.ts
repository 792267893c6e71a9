import { InvalidArgumentError } from '@quorate/core';
import type { ZooKeeper } from '@quorate/zookeeper';
import { Ensemble } from './ensemble.ts';
import { type MemoryWrite, Session, writes } from './session.ts';
import { Turns } from './turns.ts';

export interface MemoryConnectOptions {
  /** What `zk.sessionTimeout` says. No time passes here: a session ends when it is closed or you let it expire. Default 10,000. */
  readonly sessionTimeout?: number | undefined;
  /** As in `connect` of `@quorate/zookeeper`. */
  readonly tokenEpoch?: number | undefined;
}

export interface MemoryOptions {
  /** How many bytes the nodes may take together; a write beyond is refused with `quota-exceeded`. Default 256 MiB. */
  readonly maxBytes?: number | undefined;
}

/** An ensemble in this process, and its bad days on demand. Each of them resolves when the session's listeners know. */
export interface MemoryCoordination {
  /** A session of its own. Every primitive takes it for one of real servers. */
  connect(options?: MemoryConnectOptions): ZooKeeper;
  /** Cuts the connection. A write under way is ambiguous, and has not happened; what is asked from now on waits. */
  suspend(zk: ZooKeeper): Promise<void>;
  /** Connects again, and tells watches what they have missed. */
  resume(zk: ZooKeeper): Promise<void>;
  /** Ends the session as if its timeout had passed without a connection: the client first, then its ephemeral nodes. */
  expire(zk: ZooKeeper): Promise<void>;
  /**
   * The servers end the session, and its client does not know: it looks connected, and its leases look held, while others
   * hold the same. So it is with a process that was stopped, or whose clock is slow. It learns of it when it asks them for
   * anything (letting go of a lease does): what it asks is not done, and its session is lost. Or by `resume`, `expire` or closing.
   */
  forget(zk: ZooKeeper): Promise<void>;
  /**
   * The next write, or the next one of this kind, happens, but its reply is lost with the connection, which then comes
   * back by itself. The write is ambiguous, or looked for where its name is protected.
   */
  loseReply(zk: ZooKeeper, operation?: MemoryWrite): void;
  /** Deletes what servers delete in time: containers whose last child is gone, and nodes whose time to live is over. */
  sweep(): Promise<void>;
}

/**
 * The servers' part in memory, for the unit tests of those who use this package:
 *
 *     const memory = memoryCoordination();
 *     await using zk = memory.connect();
 *     await using held = await new Lock(zk, '/locks/cab-42').acquire();
 *
 * It is no distributed lock: whoever is in another process knows nothing of it. Within this one it does what servers do,
 * down to their numbers, and forgets everything with the process. Credentials and `config` are `unsupported`.
 */
export function memoryCoordination({ maxBytes = 256 * 1024 * 1024 }: MemoryOptions = {}): MemoryCoordination {
  whole('maxBytes', maxBytes, 1024);
  const turns = new Turns();
  const ensemble = new Ensemble(maxBytes);
  const sessions = new WeakMap<ZooKeeper, Session>();
  const sessionOf = (zk: ZooKeeper): Session => {
    const session = sessions.get(zk);
    if (!session) throw new InvalidArgumentError('zk', 'a session that this memoryCoordination has connected');
    return session;
  };
  const living = (zk: ZooKeeper): Session => {
    const session = sessionOf(zk);
    if (zk.lost.aborted) throw new InvalidArgumentError('zk', 'a session that is not over', zk.state);
    return session;
  };
  return {
    connect({ sessionTimeout = 10_000, tokenEpoch } = {}) {
      whole('sessionTimeout', sessionTimeout, 100);
      const session = new Session(ensemble, turns, { sessionTimeout, tokenEpoch });
      sessions.set(session.zk, session);
      return session.zk;
    },
    suspend: async (zk) => living(zk).suspend(),
    resume: async (zk) => living(zk).resume(),
    expire: async (zk) => sessionOf(zk).expire(),
    forget: async (zk) => living(zk).forget(),
    loseReply(zk, operation) {
      if (operation !== undefined && !writes.includes(operation)) {
        throw new InvalidArgumentError('operation', `one of ${writes.join(', ')}`, operation);
      }
      living(zk).loseReply(operation === undefined ? writes : [operation]);
    },
    sweep: () => turns.done(() => ensemble.sweep()),
  };
}

function whole(name: string, value: unknown, least: number): void {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return;
  throw new InvalidArgumentError(name, `a whole number from ${least}`, value);
}
