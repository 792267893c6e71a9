// Takes items and does them until it is told to stop, and writes down what it does as a history on its output.
import { isQuorateError } from '@quorate/core';
import { History, seeded } from '@quorate/testbed';
import { connect } from '@quorate/zookeeper';
import { Queue } from '../src/index.ts';

const [url = '', path = '', name = '', seed = '0'] = process.argv.slice(2);
const history = new History({ write: (line) => process.stdout.write(line) });
const chance = seeded(Number(seed)).fork(name);
const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());

async function session(): Promise<void> {
  await using zk = await connect(url, { sessionTimeout: 1_000, signal: stop.signal });
  await zk.create(`${path}-workers/${name}.`, '', { mode: 'ephemeral-sequential', parents: true });
  const queue = new Queue<number>(zk, path);
  while (zk.state !== 'lost') {
    await using item = await queue.take({ signal: stop.signal });
    const { data, signal } = item;
    const held = history.held(name, `item-${data}`, item.token);
    let isHeld = true;
    const release = (reason?: string): void => {
      if (isHeld) held.released(reason);
      isHeld = false;
    };
    signal.addEventListener('abort', () => release(String(signal.reason?.code)));
    // The work: a few turns, in which anything may happen.
    for (let turn = chance.integer(0, 8); turn > 0 && !signal.aborted; turn -= 1) await zk.exists(path);
    release();
    if (chance.next() < 0.1) continue;
    await history.run(name, 'done', { item: data }, () => item.done());
  }
}

while (!stop.signal.aborted) {
  try {
    await session();
  } catch (error) {
    if (!isQuorateError(error) && !stop.signal.aborted) throw error;
  }
}
