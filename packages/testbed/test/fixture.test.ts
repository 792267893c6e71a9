import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { describe, expect } from 'vitest';
import { bedTest, sharedTest } from '../src/vitest.ts';
import { scratch } from './archives.ts';

const test = bedTest({ redis: 1 });
let firstBed: unknown;

describe('the fixture of a file', () => {
  test('gives a bed that is typed by what was asked for', async ({ bed }) => {
    firstBed = bed;
    expect(await bed.redis.primary.health()).toEqual({ status: 'pass' });
    // @ts-expect-error no Kafka was asked for, so the type has none
    expect(bed.kafka).toBeUndefined();
  });

  test('is the same bed in each test of the file', async ({ bed }) => {
    expect(bed).toBe(firstBed);
  });
});

test('a bed whose test does not wait for it is gone after the file', async () => {
  await using place = await scratch();
  const fixture = new URL('../src/vitest.ts', import.meta.url).href;
  await writeFile(
    join(place.folder, 'late.test.mjs'),
    `import { bedTest } from ${JSON.stringify(fixture)};
     bedTest({ redis: 1 })('times out', { timeout: 1 }, ({ bed }) => {});`,
  );
  // The bed belongs to this process, which goes on when the thread of the file has ended.
  await writeFile(
    join(place.folder, 'setup.mjs'),
    `import { readdirSync } from 'node:fs';
     export default () => () =>
       console.log('left:', readdirSync(process.env.TMPDIR).filter((name) => name.startsWith('quorate-')).length);`,
  );
  const vitest = join(import.meta.dirname, '../../../node_modules/vitest/vitest.mjs');
  await writeFile(
    join(place.folder, 'vitest.config.mjs'),
    `export default { test: { pool: 'threads', globalSetup: 'setup.mjs', server: { deps: { external: [/testbed/] } } } };`,
  );
  const env = { ...process.env, TMPDIR: place.folder };
  const run = promisify(execFile)(process.execPath, [vitest, 'run'], { cwd: place.folder, env });
  const { stdout, stderr } = await run.catch((error) => error);
  expect(stdout + stderr).toContain('Test timed out in 1ms');
  expect(stdout).toContain('left: 0');
});

describe('the bed of the run', () => {
  sharedTest('is there for tests that only read', async ({ servers }) => {
    const redis = new Redis(servers.QUORATE_REDIS ?? '');
    expect(await redis.ping()).toBe('PONG');
    await redis.quit();
  });
});
