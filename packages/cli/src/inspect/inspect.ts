import { isQuorateError, Latest, QuorateError, sleep } from '@quorate/core';
import { checkPath, connect, type State, type ZooKeeper } from '@quorate/zookeeper';
import { Interrupted, interruptible } from '../interrupt.ts';
import type { Shell } from '../shell.ts';
import { addressOf, type InspectFlags } from './flags.ts';
import { printableJson } from './printable.ts';
import { Screen } from './screen.ts';

/** Something to be looked at: how to read it, and how it is shown. */
export interface View<Seen> {
  /** Undefined when there is no such path. */
  readonly read: (zk: ZooKeeper, path: string, signal: AbortSignal) => Promise<Seen | undefined>;
  readonly text: (seen: Seen) => string;
  readonly json: (seen: Seen) => unknown;
}

/** How long to look for a server, in milliseconds. */
const connectWithin = 5_000;

/** The least time between two looks, in milliseconds: what changes all the time is not read all the time. */
const rest = 100;

/** Shows it once, or with `--watch` again and again until Ctrl-C. */
export async function inspect<Seen>(view: View<Seen>, path: string, flags: InspectFlags, shell: Shell): Promise<void> {
  checkPath(path);
  const address = addressOf(flags, shell.env);
  using stop = interruptible();
  const zk = await reach(address, flags.tokenEpoch, stop.signal);
  try {
    if (flags.watch) await watch(zk, view, path, flags, shell, stop.signal);
    else await once(zk, view, path, flags, shell, stop.signal);
  } finally {
    // The servers may be out of reach by now. They forget our session by themselves.
    await zk.close({ signal: AbortSignal.timeout(500) }).catch(() => undefined);
  }
}

async function reach(address: string, tokenEpoch: number, signal: AbortSignal): Promise<ZooKeeper> {
  try {
    return await connect(address, { timeout: connectWithin, tokenEpoch, signal });
  } catch (cause) {
    if (!isQuorateError(cause, 'deadline-exceeded')) throw cause;
    throw new QuorateError(`no ZooKeeper server answers at ${address}: ${cause.message}`, {
      code: 'unreachable',
      cause,
    });
  }
}

async function once<Seen>(
  zk: ZooKeeper,
  view: View<Seen>,
  path: string,
  flags: InspectFlags,
  shell: Shell,
  signal: AbortSignal,
): Promise<void> {
  const seen = await view.read(zk, path, signal);
  if (seen === undefined) throw new QuorateError(noSuchPath(path), { code: 'no-such-path' });
  shell.print(flags.json ? printableJson(view.json(seen), 2) : view.text(seen));
}

async function watch<Seen>(
  zk: ZooKeeper,
  view: View<Seen>,
  path: string,
  flags: InspectFlags,
  shell: Shell,
  signal: AbortSignal,
): Promise<void> {
  const screen = new Screen(flags.json ? 'lines' : 'page', shell.stdout);
  zk.on('state', (state: State) => {
    if (state === 'suspended') shell.complain('quorate: the connection is gone; trying to get it back');
  });
  try {
    for await (const _ of changes(zk, path, signal)) {
      const seen = await view.read(zk, path, signal);
      if (flags.json) screen.show(printableJson(seen === undefined ? { missing: path } : view.json(seen)));
      else screen.show(seen === undefined ? noSuchPath(path) : view.text(seen));
      if (shell.isReaderGone) return;
      await sleep(rest, { signal });
    }
  } catch (error) {
    // Ctrl-C is how it ends.
    if (!(error instanceof Interrupted)) throw error;
  }
}

/** Once now, and once whenever something at or below a path has changed since. */
function changes(zk: ZooKeeper, path: string, signal: AbortSignal): AsyncIterable<void> {
  const changed = new Latest<void>();
  const follow = async (): Promise<void> => {
    await using events = zk.watch(path, { mode: 'recursive', signal });
    await events.ready;
    changed.push();
    for await (const _ of events) changed.push();
  };
  follow().then(
    () => changed.finish(),
    (error) => changed.fail(error),
  );
  return changed;
}

function noSuchPath(path: string): string {
  return `${path}: there is no such path; quorate inspect tree shows what there is`;
}
