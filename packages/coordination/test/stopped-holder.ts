import { once } from 'node:events';
import { History } from '@quorate/testbed';
import { connect } from '@quorate/zookeeper';
import { Lock } from '../src/index.ts';

// Holds a lock, reads a counter, and is about to write one more when it is stopped. It goes on as if no time had passed,
// over a session of its own for data, which has lived on. Prints its history.
const [url = '', root = '', guarded] = process.argv.slice(2);
const history = new History({ write: (line) => process.stdout.write(line) });

const data = await connect(url, { sessionTimeout: 20_000 });
const zk = await connect(url, { sessionTimeout: 1_000 });
const lease = await new Lock(zk, `${root}/lock`, { id: 'ann' }).acquire();
const holding = history.held('ann', 'lock', lease.token);
lease.signal.addEventListener('abort', () => holding.released(lease.signal.reason.reason), { once: true });

const sum = Number((await data.get(`${root}/rides`)).data) + 1;
const transaction = guarded === 'guarded' ? lease.guard(data.transaction()) : data.transaction();
history.note('about to write');

await once(process.stdin, 'data');
const writing = transaction.set(`${root}/rides`, String(sum));
const output = (): number => sum;
await history.run('ann', 'add', { key: 'rides', by: 1 }, () => writing.commit(), { output }).catch(() => undefined);
await data.close();
process.exit();
