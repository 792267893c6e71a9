import { deadline } from '@quorate/core';
import { type KindOf, kinds } from './kinds.ts';
import { Links } from './links/links.ts';
import type { Wanted } from './options.ts';
import { Ports } from './processes/ports.ts';
import type { Server } from './processes/server.ts';
import { Warden } from './processes/warden.ts';
import { Cache } from './programs/cache.ts';
import { classArchive } from './programs/class-archive.ts';
import type { Program } from './programs/program.ts';
import type { Site } from './servers/site.ts';
import { together } from './together.ts';

/** Of the Java servers that are wanted, but for Spark, which is seldom started. */
export async function getArchives(
  wanted: Wanted,
  programs: ReadonlyMap<string, Program>,
  outer?: AbortSignal,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const archive = async (kind: 'zookeeper' | 'kafka' | 'dynamodb', signal: AbortSignal): Promise<void> => {
    const settings = wanted[kind];
    if (settings === undefined) return;
    const [java = '', name = ''] = (kinds[kind] as KindOf<typeof kind>).programs(settings);
    const [machine, jars] = [programs.get(java), programs.get(name)];
    if (!machine || !jars) return;
    const version = 'version' in settings && { version: settings.version };
    const load = (jvm: readonly string[], signal?: AbortSignal): Promise<void> =>
      runOnce((site) => (kinds[kind] as KindOf<typeof kind>).plan(site, { jvm, ...version }), programs, signal);
    const path = await classArchive(new Cache(), machine, jars, load, signal);
    if (path !== undefined) found.set(name, path);
  };
  await together(['zookeeper', 'kafka', 'dynamodb'] as const, archive, outer);
  return found;
}

/** How long Java may take to write the archive, in milliseconds. */
const grace = 60_000;

/** Starts a server, and ends it well: otherwise it rejects. */
async function runOnce(
  plan: (site: Site) => Promise<{ readonly servers: readonly Server[] }>,
  programs: ReadonlyMap<string, Program>,
  signal?: AbortSignal,
): Promise<void> {
  await using warden = await Warden.inNewFolder();
  const ports = new Ports();
  const links = new Links(ports);
  try {
    const { servers } = await plan({ warden, ports, links, program: (name) => programs.get(name) as Program });
    for (const server of servers) {
      await server.start(signal);
      using limit = deadline(grace, signal);
      const kill = (): void => void server.kill();
      limit.signal.addEventListener('abort', kill, { once: true });
      await server.stop({ grace: 2 * grace });
      limit.signal.throwIfAborted();
    }
  } finally {
    links.close();
    ports.release();
  }
}
