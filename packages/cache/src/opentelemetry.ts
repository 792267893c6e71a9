import type { Attributes, BatchObservableResult, Meter, Observable } from '@opentelemetry/api';
import type { Cache } from './cache.ts';

/**
 * Has a meter of OpenTelemetry read the cache's counts whenever it collects. Between two collections it costs nothing.
 *
 *     const observed = observe(cache, metrics.getMeter('taxi'));
 *
 * Dispose it when the cache is closed.
 */
export function observe(cache: Cache, meter: Meter): Disposable {
  const name = { 'cache.name': cache.name };
  const requests = meter.createObservableCounter('cache.requests', {
    unit: '{request}',
    description: 'Callers by the source of their value',
  });
  const loads = meter.createObservableCounter('cache.loads', {
    unit: '{load}',
    description: 'Calls of the origin by their outcome',
  });
  const evictions = meter.createObservableCounter('cache.evictions', {
    unit: '{entry}',
    description: 'Entries evicted from the process',
  });
  const items = meter.createObservableUpDownCounter('cache.entries', {
    unit: '{entry}',
    description: 'Entries in the process',
  });
  const size = meter.createObservableUpDownCounter('cache.size', { unit: 'By', description: 'Bytes in the process' });
  const redis = meter.createObservableGauge('db.client.operation.duration.p99', {
    unit: 's',
    description: 'The time that 99 % of the batches of requests to Redis took at most',
  });
  const reachable = meter.createObservableGauge('cache.healthy', {
    description: '1 while the cache is healthy, 0 while it is not',
  });
  const instruments: Observable[] = [requests, loads, evictions, items, size, redis, reachable];
  const read = (result: BatchObservableResult): void => {
    const { hits, misses, loads: loaded, staleServed, local, latency } = cache.stats();
    const tell = (instrument: Observable, value: number, attributes: Attributes = {}): void =>
      result.observe(instrument, value, { ...name, ...attributes });
    tell(requests, hits.local, { 'cache.outcome': 'local' });
    tell(requests, hits.redis, { 'cache.outcome': 'redis' });
    tell(requests, misses, { 'cache.outcome': 'miss' });
    tell(requests, staleServed, { 'cache.outcome': 'stale' });
    // Of those that have ended: a counter never falls, and what is under way may still fail.
    tell(loads, latency.load.count - loaded.failed, { 'cache.load.result': 'ok' });
    tell(loads, loaded.failed, { 'cache.load.result': 'failed' });
    tell(loads, loaded.refused, { 'cache.load.result': 'refused' });
    tell(evictions, local.evictions);
    tell(items, local.items);
    tell(size, local.bytes);
    tell(redis, latency.redis.p99 / 1_000, { 'db.system.name': 'redis' });
    tell(reachable, cache.health().status === 'pass' ? 1 : 0);
  };
  meter.addBatchObservableCallback(read, instruments);
  return { [Symbol.dispose]: () => meter.removeBatchObservableCallback(read, instruments) };
}
