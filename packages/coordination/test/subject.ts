import type { BedOf } from '@quorate/testbed';
import { connect, type ZooKeeper } from '@quorate/zookeeper';
import { type Fate, lossy } from './lossy.ts';

export interface Subject extends AsyncDisposable {
  /** A session whose writes meet with what `fates` says. */
  readonly zk: ZooKeeper;
  readonly link: ReturnType<BedOf<{ zookeeper: 1 }>['link']>;
  /** A session that no fault touches. */
  readonly witness: ZooKeeper;
  /** What becomes of the next writes, in order. Those after them are answered. */
  readonly fates: Fate[];
  /** What others do between a write whose reply is lost and the moment its connection breaks. */
  meanwhile: () => Promise<void>;
}

let count = 0;

/** A session through a link of its own, below a root that is there. */
export async function subject(
  bed: BedOf<{ zookeeper: 1 }>,
  { root, sessionTimeout = 10_000 }: { readonly root: string; readonly sessionTimeout?: number },
): Promise<Subject> {
  const stack = new AsyncDisposableStack();
  count += 1;
  const link = bed.link(`client-${count}`, 'zookeeper-1');
  const witness = stack.use(await connect(`${bed.zookeeper.url}${root}`));
  await witness.create('/', '', { parents: true }).catch(() => undefined);
  const session = await connect(`${await link.address}${root}`, { sessionTimeout });
  stack.defer(async () => {
    await link.heal();
    await session.close({ signal: AbortSignal.timeout(2_000) });
  });
  const fates: Fate[] = [];
  const fate = (): Fate => fates.shift() ?? 'answered';
  const made: Subject = {
    zk: lossy(session, { link, witness, fate, meanwhile: () => made.meanwhile() }),
    link,
    witness,
    fates,
    meanwhile: async () => undefined,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
  return made;
}
