import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { eventually } from '@quorate/testbed';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { expect } from 'vitest';
import { observe } from '../src/opentelemetry.ts';
import { caches, hearing } from './fixture.ts';

test('a meter of OpenTelemetry reads hits, misses, loads and sizes under names with units', async ({ servers }) => {
  await using c = caches(servers.QUORATE_REDIS ?? '');
  const [cache, other] = [await c.cache(), await c.cache()];
  await hearing(cache, other);
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  const observed = observe(cache, provider.getMeter('test'));
  await other.set('shared', 'x');
  await cache.get('zone', () => 'loaded');
  await cache.get('zone', () => 'not needed');
  await cache.get('shared', () => 'not needed');
  const { promise, reject } = Promise.withResolvers<string>();
  const ill = cache.get('ill', () => promise).catch(() => {});
  await eventually('it loads', () => cache.stats().loads.started === 2);
  const collect = async (): Promise<unknown[]> => {
    exporter.reset();
    await reader.forceFlush();
    const metrics = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
    return metrics.flatMap(({ descriptor, dataPoints }) =>
      dataPoints.map(({ attributes, value }) => {
        const { 'cache.name': name, ...rest } = attributes;
        expect(name).toBe(cache.name);
        return [descriptor.name, descriptor.unit, Object.values(rest).join(), value];
      }),
    );
  };
  // What is under way is no success yet: a counter that falls is taken for one that has begun anew.
  const loads = async (): Promise<unknown> =>
    (await collect()).filter((point) => String(point).includes('cache.loads'));
  expect(await loads()).toContainEqual(['cache.loads', '{load}', 'ok', 1]);
  reject(new Error('no'));
  await ill;
  expect(await collect()).toEqual(
    expect.arrayContaining([
      ['cache.requests', '{request}', 'local', 1],
      ['cache.requests', '{request}', 'redis', 1],
      ['cache.requests', '{request}', 'miss', 2],
      ['cache.requests', '{request}', 'stale', 0],
      ['cache.loads', '{load}', 'ok', 1],
      ['cache.loads', '{load}', 'failed', 1],
      ['cache.entries', '{entry}', '', 2],
      ['cache.size', 'By', '', cache.stats().local.bytes],
      ['cache.healthy', '', '', 1],
    ]),
  );
  observed[Symbol.dispose]();
  await cache.get('zone', () => 'not needed');
  const local = (await collect()).filter((point) => String(point).startsWith('cache.requests,{request},local'));
  for (const point of local) expect(point).toEqual(['cache.requests', '{request}', 'local', 1]);
  await provider.shutdown();
});
