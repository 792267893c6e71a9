import { existsSync } from 'node:fs';
import { QuorateError } from '@quorate/core';
import { eventually } from '@quorate/testbed';
import { type Claim, isAlive } from '../claim.js';
import { askKeeper, NoAnswerError } from './bed-control.ts';
import type { BedDescription } from './bed-description.ts';
import { type BedRecord, readRecord } from './bed-record.ts';

/** What became of a bed that was taken down. */
export interface Ended {
  readonly servers: readonly string[];
  /** The process that held it did not answer and was killed. */
  readonly killed?: number;
}

/** Ends a bed, also one that still starts or whose process is stopped. Undefined when there is none. */
export async function endBed(name: string): Promise<Ended | undefined> {
  const record = readRecord(name);
  if (!record) return undefined;
  if (!record.up) {
    await endProcess(record, 'SIGTERM');
    return { servers: [] };
  }
  try {
    const was = (await askKeeper(name, { ask: 'down' })) as BedDescription | undefined;
    if (was) return { servers: was.servers.map((server) => server.name) };
  } catch (error) {
    if (!(error instanceof NoAnswerError)) throw error;
  }
  // Its warden ends the servers and removes their data.
  await endProcess(record, 'SIGKILL');
  return { servers: record.up.servers, killed: record.pid };
}

async function endProcess(record: Claim<BedRecord>, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const { name, pid, up } = record;
  // Its number may be another process's by now.
  if (isAlive(record)) process.kill(pid, signal);
  const gone = (): boolean => !isAlive(record) && !(up && existsSync(up.folder));
  try {
    await eventually(`the process ${pid} is gone`, gone, { within: 10_000 });
  } catch (cause) {
    if (signal === 'SIGTERM') return endProcess(record, 'SIGKILL');
    throw new QuorateError(
      `the bed "${name}" could not be ended: ${isAlive(record) ? `the process ${pid} still runs` : `${up?.folder} is still there`}`,
      { code: 'not-ended', cause },
    );
  }
}
