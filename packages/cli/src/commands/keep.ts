import { join } from 'node:path';
import { isQuorateError } from '@quorate/core';
import { Testbed } from '@quorate/testbed';
import { Command } from 'commander';
import { listenForQuestions } from '../bed-control.ts';
import { describeBed } from '../bed-description.ts';
import { removeRecord, writeRecord } from '../bed-record.ts';
import { carryOut } from '../fault-order.ts';
import { interruptible } from '../interrupt.ts';
import { bedOptions, type ServerFlags } from '../server-options.ts';
import type { Shell } from '../shell.ts';
import type { KeeperNews } from './up.ts';

/** The process behind `quorate up`: holds the bed until it is asked to let go. Started by `up`, not by people. */
export function keep(shell: Shell): Command {
  return new Command('keep')
    .argument('<name>')
    .argument('<servers>', 'as JSON')
    .action((name: string, servers: string) => keepBed(shell, name, servers));
}

async function keepBed(shell: Shell, name: string, servers: string): Promise<void> {
  using stop = interruptible();
  const left = new AbortController();
  const starter = (): void => left.abort(new Error('the process that wanted the servers has gone'));
  process.once('disconnect', starter);
  const tell = (news: KeeperNews): void => void process.send?.(news);
  const flags = JSON.parse(servers) as ServerFlags;
  try {
    await using bed = await Testbed.start(bedOptions(flags), {
      signal: AbortSignal.any([stop.signal, left.signal]),
      offline: flags.offline === true,
      ...(flags.disk !== undefined && { disk: flags.disk }),
      onProgress: (progress) => tell({ progress }),
    });
    process.off('disconnect', starter);
    const socket = join(bed.folder, 'control');
    const asked = Promise.withResolvers<void>();
    stop.signal.addEventListener('abort', () => asked.resolve());
    const control = await listenForQuestions(socket, async (question) => {
      if (question.ask === 'fault') return carryOut(bed, question.order);
      const description = await describeBed(bed);
      if (question.ask === 'down') {
        await bed.stop();
        await removeRecord(name);
        asked.resolve();
      }
      return description;
    });
    await writeRecord({ name, pid: process.pid, socket, since: new Date().toISOString() });
    tell({ ready: await describeBed(bed) });
    if (process.connected) process.disconnect?.();
    await asked.promise;
    control.close();
    await removeRecord(name);
  } catch (error) {
    tell({ failed: { message: (error as Error).message, code: isQuorateError(error) ? error.code : 'failed' } });
    if (process.connected) process.disconnect?.();
    shell.status = 1;
  }
}
