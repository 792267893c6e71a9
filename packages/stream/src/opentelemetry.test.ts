import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { expect, test } from 'vitest';
import type { Consumer } from './consuming/consumer.ts';
import { noStats } from './consuming/stats.ts';
import { observe, openTelemetry } from './opentelemetry.ts';

/** Collects when it is asked to. */
class Reader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

test('a consumer that is not observed any more is not asked by any meter', async () => {
  const asked: string[] = [];
  const stats = (): unknown => {
    asked.push('stats');
    return noStats;
  };
  const lag = (): unknown => {
    asked.push('lag');
    return { messages: 0n, oldestMs: 0, partitions: [] };
  };
  const consumer = { group: 'g', stats, lag } as unknown as Consumer;
  const reader = new Reader();
  const provider = new MeterProvider({ readers: [reader] });
  const observed = observe(consumer, provider.getMeter('test'));
  await reader.collect();
  expect(asked.toSorted()).toEqual(['lag', 'lag', 'stats']);
  observed[Symbol.dispose]();
  await reader.collect();
  expect(asked).toHaveLength(3);
  await provider.shutdown();
});

test('a span ends when what it is about has ended, well or not', async () => {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  const tracing = openTelemetry(provider.getTracer('test'));
  const about = { topic: 't', id: 'i', key: undefined, bytes: 1 };
  const names = (): string[] => exporter.getFinishedSpans().map(({ name }) => name);
  await tracing.send(
    about,
    () => {},
    async () => {
      expect(names()).toEqual([]);
      return { partition: 0, offset: 1n };
    },
  );
  expect(names()).toEqual(['send t']);
  const handled = { topic: 't', partition: 0, group: 'g', offset: 1n, id: 'i', attempt: 1, headers: {} };
  await expect(tracing.handle(handled, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(names()).toEqual(['send t', 'process t']);
  await provider.shutdown();
});
