import { eventually, type Link } from '@quorate/testbed';
import type { ZooKeeper } from '@quorate/zookeeper';

/**
 * What becomes of a write on its way:
 * - `answered`: nothing is wrong.
 * - `reply-lost`: the server does it, and the connection breaks before its answer is heard.
 * - `never-sent`: the connection breaks before the server gets it.
 */
export type Fate = 'answered' | 'reply-lost' | 'never-sent';

export interface Lossy {
  /** Where the client connects through; the server's end of it is the second party. */
  readonly link: Link;
  /** A session that no fault touches, which sees what the server has done. */
  readonly witness: ZooKeeper;
  /** Asked for each write. */
  readonly fate: () => Fate;
  /** What others do between a write and the moment its connection breaks. */
  readonly meanwhile?: () => Promise<void>;
}

/** The same session, whose writes meet their fate. Reads and watches pass. */
export function lossy(zk: ZooKeeper, { link, witness, fate, meanwhile }: Lossy): ZooKeeper {
  const [client, server] = link.parties;

  /** Resolves when the connection has been broken, and is well again. */
  async function lose(
    lost: Exclude<Fate, 'answered'>,
    write: () => Promise<unknown>,
    done: () => Promise<boolean>,
  ): Promise<unknown> {
    await link.set({ blackHole: lost === 'reply-lost' ? server : client });
    const outcome = write();
    outcome.catch(() => undefined);
    if (lost === 'reply-lost') await eventually('the server has done it', done, { every: 2 });
    await meanwhile?.();
    // What the link holds goes with the connection.
    await link.reset();
    await link.heal();
    return outcome;
  }

  type Write = (...args: unknown[]) => Promise<unknown>;
  const meet = (write: Write, done: (...args: never[]) => Promise<boolean>): Write => {
    return (...args) => {
      const lost = fate();
      if (lost === 'answered') return write(...args);
      const isDone = (): Promise<boolean> => done(...(args as never[]));
      return lose(lost, () => write(...args), isDone);
    };
  };

  const writes = {
    create: meet(zk.create.bind(zk) as Write, async (path: string) => {
      // Where its parent is missing, the server has refused it, or will.
      const parent = path.slice(0, Math.max(1, path.lastIndexOf('/')));
      return (await witness.exists(path)) !== undefined || (await witness.exists(parent)) === undefined;
    }),
    // Where somebody else was faster, the server has refused it, or will.
    set: meet(zk.set.bind(zk) as Write, async (path: string, _: unknown, { version = 0 }: { version?: number }) => {
      const stat = await witness.exists(path);
      return stat === undefined || stat.version > version;
    }),
    delete: meet(zk.delete.bind(zk) as Write, async (path: string) => (await witness.exists(path)) === undefined),
  };

  return new Proxy(zk, {
    get(target, name) {
      if (Object.hasOwn(writes, name)) return writes[name as keyof typeof writes];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
