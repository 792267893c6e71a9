import { context, propagation, SpanKind, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { eventually } from '@quorate/testbed';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { expect, onTestFinished } from 'vitest';
import { Stream } from '../src/index.ts';
import { observe, openTelemetry } from '../src/opentelemetry.ts';
import { bench } from './fixture.ts';

/** Spans of this test alone: what is global is put back. */
function tracing(): { readonly exporter: InMemorySpanExporter; readonly tracing: ReturnType<typeof openTelemetry> } {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  onTestFinished(() => {
    context.disable();
    propagation.disable();
  });
  return { exporter, tracing: openTelemetry(provider.getTracer('test')) };
}

test('what handles a message is a child of what sent it, and what it sends is a child of that', async ({
  servers: { QUORATE_KAFKA },
}) => {
  const { exporter, tracing: around } = tracing();
  await using place = await bench(QUORATE_KAFKA, { partitions: 1 });
  await using further = await bench(QUORATE_KAFKA, { partitions: 1 });
  const stream = place.stream({ tracing: around });
  const rides = place.open(stream);
  const fares = stream.topic(further.topic);
  await using consumer = await rides.consume({
    group: 'meter',
    retry: { attempts: 2, delay: 1 },
    handler: async ({ value, attempt }) => {
      if (attempt === 1) throw new Error('once more');
      await fares.publish({ key: 'a', value });
    },
  });
  const { id } = await rides.publish({ key: 'a', value: 1, headers: { tenant: 'b' } });
  await eventually('it is handled', () => consumer.stats().handled === 1);
  const spans = exporter.getFinishedSpans();
  const [sent, failed, handled, onward] = ['send', 'process', 'process', 'send'].map((name, index) =>
    spans.filter((span) => span.name.startsWith(name)).at(index < 2 ? 0 : 1),
  );
  expect(sent).toMatchObject({ name: `send ${place.topic}`, kind: SpanKind.PRODUCER });
  expect(sent?.attributes).toMatchObject({
    'messaging.system': 'kafka',
    'messaging.destination.name': place.topic,
    'messaging.destination.partition.id': '0',
    'messaging.message.id': id,
    'messaging.kafka.message.key': 'a',
  });
  for (const span of [failed, handled]) {
    expect(span?.kind).toBe(SpanKind.CONSUMER);
    expect(span?.parentSpanContext?.spanId).toBe(sent?.spanContext().spanId);
    expect(span?.spanContext().traceId).toBe(sent?.spanContext().traceId);
  }
  expect(failed?.attributes).toMatchObject({ 'error.type': 'error', 'quorate.attempt': 1 });
  expect(handled?.attributes).toMatchObject({ 'messaging.consumer.group.name': 'meter', 'quorate.attempt': 2 });
  expect(onward?.parentSpanContext?.spanId).toBe(handled?.spanContext().spanId);
  expect(onward?.spanContext().traceId).toBe(sent?.spanContext().traceId);
});

test('a request and what responds to it are one trace', async ({ servers: { QUORATE_KAFKA } }) => {
  const { exporter, tracing: around } = tracing();
  await using place = await bench(QUORATE_KAFKA);
  const stream = place.stream({ tracing: around });
  let active: string | undefined;
  await using _responder = await stream.responder(`${place.topic}-ask`, {
    group: 'answers',
    handler: (value) => {
      active = trace.getActiveSpan()?.spanContext().traceId;
      return value;
    },
  });
  await stream.requester(`${place.topic}-ask`).request(1);
  const sent = exporter.getFinishedSpans().find(({ kind }) => kind === SpanKind.PRODUCER);
  expect(active).toBe(sent?.spanContext().traceId);
});

test('what is published with a transaction is in the trace of what was handled', async ({
  servers: { QUORATE_KAFKA },
}) => {
  const { exporter, tracing: around } = tracing();
  await using place = await bench(QUORATE_KAFKA, { partitions: 1 });
  await using further = await bench(QUORATE_KAFKA, { partitions: 1 });
  const stream = place.stream({ tracing: around });
  const [rides, fares] = [place.open(stream), stream.topic(further.topic)];
  await using _meter = await rides.consume({
    group: 'meter',
    transactional: true,
    handler: async ({ value }, { transaction }) => {
      await transaction.publish(fares, { key: 'a', value });
    },
  });
  await using bills = await fares.consume({ group: 'bills', handler: () => {} });
  await rides.publish({ key: 'a', value: 1 });
  await eventually('it has come all the way', () => bills.stats().handled === 1);
  const spans = exporter.getFinishedSpans();
  const way = [`send ${place.topic}`, `process ${place.topic}`, `create ${further.topic}`, `process ${further.topic}`];
  const [first, ...others] = way.map((name) => spans.find((span) => span.name === name));
  let parent = first?.spanContext();
  expect(parent).toBeDefined();
  for (const [index, span] of others.entries()) {
    expect(span?.parentSpanContext?.spanId, way[index + 1]).toBe(parent?.spanId);
    expect(span?.spanContext().traceId, way[index + 1]).toBe(first?.spanContext().traceId);
    parent = span?.spanContext();
  }
  expect(others[1]?.attributes).toMatchObject({ 'messaging.operation.type': 'create' });
});

test('what is put into an outbox carries the trace in which it was put there', async () => {
  const { exporter, tracing: around } = tracing();
  await using stream = new Stream({ brokers: 'nobody:1', tracing: around });
  const rows: unknown[][] = [];
  const database = {
    query: async (_: string, row: unknown[] = []) => {
      rows.push(row);
      return { rows: [] };
    },
  };
  await stream.outbox().add(database, stream.topic('rides'), { key: 'a', value: 1 });
  const [created] = exporter.getFinishedSpans();
  const { traceId, spanId } = created?.spanContext() ?? {};
  const headers = new Map(JSON.parse(String(rows[0]?.[4])) as [string, string][]);
  expect(created).toMatchObject({ name: 'create rides', kind: SpanKind.PRODUCER });
  expect(Buffer.from(headers.get('traceparent') ?? '', 'base64').toString()).toBe(`00-${traceId}-${spanId}-01`);
});

test('a message without a trace begins one, whatever was going on when the consumer was started', async ({
  servers: { QUORATE_KAFKA },
}) => {
  const { exporter, tracing: around } = tracing();
  await using place = await bench(QUORATE_KAFKA, { partitions: 1 });
  const rides = place.open(place.stream({ tracing: around }));
  const request = trace.wrapSpanContext({ traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 });
  await using consumer = await context.with(trace.setSpan(context.active(), request), () =>
    rides.consume({ group: 'meter', handler: () => {} }),
  );
  await place.open().publish({ value: 1 });
  await eventually('it is handled', () => consumer.stats().handled === 1);
  const [handled] = exporter.getFinishedSpans();
  expect(handled?.name).toBe(`process ${place.topic}`);
  expect(handled?.parentSpanContext).toBeUndefined();
});

test('a meter reads what became of messages, and how far behind a consumer is', async ({
  servers: { QUORATE_KAFKA },
}) => {
  class Reader extends MetricReader {
    protected override async onForceFlush(): Promise<void> {}
    protected override async onShutdown(): Promise<void> {}
  }
  const reader = new Reader();
  const provider = new MeterProvider({ readers: [reader] });
  await using place = await bench(QUORATE_KAFKA, { partitions: 1 });
  const rides = place.open();
  const gate = Promise.withResolvers<void>();
  await using consumer = await rides.consume({
    group: 'meter',
    handler: ({ value }) => (value === 2 ? gate.promise : undefined),
  });
  using _observed = observe(consumer, provider.getMeter('test'));
  for (const value of [1, 2]) await rides.publish({ key: 'a', value, timestamp: Date.now() - 5_000 });
  await eventually(
    'one is handled, and one has come',
    () => consumer.stats().handled === 1 && consumer.lag().messages === 1n,
  );
  const { resourceMetrics } = await reader.collect();
  const points = Object.fromEntries(
    resourceMetrics.scopeMetrics.flatMap(({ metrics }) =>
      metrics.flatMap(({ descriptor, dataPoints }) =>
        dataPoints.map(({ attributes, value }) => [
          `${descriptor.name} ${attributes['quorate.outcome'] ?? ''}`.trim(),
          value,
        ]),
      ),
    ),
  );
  expect(points).toMatchObject({
    'messaging.client.consumed.messages handled': 1,
    'messaging.client.consumed.messages failed': 0,
    'messaging.kafka.consumer.lag': 1,
  });
  expect(points['messaging.kafka.consumer.age']).toBeGreaterThanOrEqual(5);
  gate.resolve();
  await eventually('all are handled', () => consumer.stats().handled === 2);
});
