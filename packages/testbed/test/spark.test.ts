import { readdir } from 'node:fs/promises';
import { expect, test, vi } from 'vitest';
import { cacheFolder, Testbed } from '../src/index.ts';
import { sparkVersion } from '../src/servers/spark-version.ts';
import { scratch } from './archives.ts';
import { listeningAddresses } from './listening.ts';

// Not among the tests of npm test: its download is large. npm run test:spark runs it.
test('Spark Connect answers a client, comes back after a kill, and leaves nothing', async () => {
  await using place = await scratch();
  vi.stubEnv('TMPDIR', place.folder);
  vi.stubEnv('QUORATE_CACHE', cacheFolder());
  vi.stubEnv('HOME', place.folder);
  {
    await using bed = await Testbed.start({ spark: true }, { signal: AbortSignal.timeout(110_000) });
    expect(bed.spark.url).toMatch(/^sc:\/\/127\.0\.0\.1:\d+\/;token=[\w-]+$/);
    expect(bed.environment).toEqual({ QUORATE_SPARK: bed.spark.url });
    const { address, pid } = bed.spark.server;
    expect(await sparkVersion(address, bed.spark.token, AbortSignal.timeout(10_000))).toMatch(/^4\./);
    expect(await sparkVersion(address, 'guess', AbortSignal.timeout(10_000))).toBeUndefined();
    if (process.platform === 'linux') {
      // Java's sockets of both families show loopback of IPv4 as an address of IPv6.
      for (const listening of await listeningAddresses(pid ?? 0)) expect(listening).toMatch(/0100007F$/);
    }
    await bed.spark.server.kill();
    expect((await bed.health()).status).toBe('fail');
    await bed.spark.server.restart();
    expect(await sparkVersion(address, bed.spark.token, AbortSignal.timeout(10_000))).toMatch(/^4\./);
    expect(await readdir(place.folder)).toEqual([bed.folder.split('/').at(-1)]);
  }
  expect(await readdir(place.folder)).toEqual([]);
  vi.unstubAllEnvs();
});
