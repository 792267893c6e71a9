// A worker in a process of its own, to be killed and to stand still: told what to do by $QUORATE_WORKER. It ends when its standard input does.
import { Pool } from 'pg';
import { Workflows } from '../src/index.ts';
import { durable } from './work/durable.ts';

export interface WorkerPlan {
  readonly address: string;
  readonly taskQueue: string;
  /** The file of a bundle. */
  readonly bundle: string;
  readonly postgres: string;
  readonly only?: 'activities';
  /** How long an activity takes at most, by chance. */
  readonly workMs?: number;
}

const {
  address,
  taskQueue,
  bundle,
  postgres,
  workMs = 0,
  only,
} = JSON.parse(process.env.QUORATE_WORKER ?? '{}') as WorkerPlan;
const pool = new Pool({ connectionString: postgres, max: 4 });
// A connection that ends while nobody uses it.
pool.on('error', () => {});
const workflows = await Workflows.connect({ address, taskQueue });
await workflows.worker({ ...(only === undefined && { bundle }), activities: durable(pool, workMs), drain: '2s' });
process.stdout.write('ready\n');
process.stdin.on('data', () => {});
await new Promise((resolve) => process.stdin.once('end', resolve));
await workflows.close();
await pool.end();
