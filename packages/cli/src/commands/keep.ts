import { isQuorateError, QuorateError } from '@quorate/core';
import { Testbed } from '@quorate/testbed';
import { Command } from 'commander';
import { listenForQuestions, socketIn } from '../bed-control.ts';
import { describeBed } from '../bed-description.ts';
import { claimName, recordUp, releaseName } from '../bed-record.ts';
import { FaultEnds } from '../fault-ends.ts';
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
    await claimed(name);
    await using bed = await Testbed.start(bedOptions(flags), {
      signal: AbortSignal.any([stop.signal, left.signal]),
      offline: flags.offline === true,
      ...(flags.disk !== undefined && { disk: flags.disk }),
      onProgress: (progress) => tell({ progress }),
    });
    process.off('disconnect', starter);
    const socket = socketIn(bed.folder);
    const asked = Promise.withResolvers<void>();
    stop.signal.addEventListener('abort', () => asked.resolve());
    const ends = new FaultEnds();
    const control = await listenForQuestions(socket, async (question) => {
      if (question.ask === 'fault') return carryOut(bed, question.order, ends);
      if (question.ask === 'logs') return bed.servers.map(({ name, logFile }) => ({ name, logFile }));
      const description = await describeBed(bed);
      if (question.ask === 'down') {
        await bed.stop();
        // Before the answer: the name is free when `down` has ended.
        releaseName(name);
        asked.resolve();
      }
      return description;
    });
    const { folder, servers } = bed;
    const up = { folder, socket, servers: servers.map((server) => server.name) };
    recordUp({ name, since: new Date().toISOString(), up });
    tell({ ready: await describeBed(bed) });
    if (process.connected) process.disconnect?.();
    await asked.promise;
    control.close();
  } catch (error) {
    tell({ failed: { message: (error as Error).message, code: isQuorateError(error) ? error.code : 'failed' } });
    if (process.connected) process.disconnect?.();
    shell.status = 1;
  } finally {
    releaseName(name);
  }
}

/** Before anything is started: of two that start a bed by the same name at once, one is told so. */
async function claimed(name: string): Promise<void> {
  const other = await claimName(name);
  if (!other) return;
  throw new QuorateError(
    `a bed called "${name}" is ${other.up ? 'up' : 'being started'} already, by process ${other.pid}: ` +
      `quorate down --name ${name} ends it, --name gives this one another name`,
    { code: 'already-up' },
  );
}
