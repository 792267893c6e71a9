import { context, propagation, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { eventually } from '@quorate/testbed';
import { expect, onTestFinished, test } from 'vitest';
import { openTelemetry } from '../src/opentelemetry.ts';
import { bench, sharedTemporal, sources } from './fixture.ts';
import * as activities from './work/activities.ts';

test('the start of a workflow, its run and its activities are one trace, whoever does them', async () => {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  onTestFinished(() => {
    context.disable();
    propagation.disable();
  });
  const tracing = openTelemetry(provider.getTracer('test'));
  await using b = await bench(sharedTemporal(), { tracing });
  const other = await b.connect({ tracing });
  await other.worker({ workflowsPath: sources('rides'), activities });
  const run = await b.workflows.start('ride', { id: b.id('traced'), args: ['cab-1', 'declined'] });
  await expect(run.result()).rejects.toMatchObject({ reason: 'declined' });
  await eventually('the run is told', () => exporter.getFinishedSpans().some(({ name }) => name === 'workflow ride'));
  const spans = exporter.getFinishedSpans();
  const [start] = spans.filter(({ name }) => name === 'start ride');
  expect(start).toMatchObject({ kind: SpanKind.CLIENT, attributes: { 'quorate.workflow.id': run.id } });
  const rest = spans.filter((span) => span !== start);
  expect(rest.map(({ name }) => name).sort()).toEqual([
    'activity book',
    'activity charge',
    'activity refund',
    'activity release',
    'workflow ride',
  ]);
  for (const span of rest) {
    expect(span.parentSpanContext?.spanId).toBe(start?.spanContext().spanId);
    expect(span.spanContext().traceId).toBe(start?.spanContext().traceId);
  }
  const whole = rest.find(({ name }) => name === 'workflow ride');
  expect(whole).toMatchObject({ status: { code: SpanStatusCode.ERROR }, attributes: { 'quorate.outcome': 'failed' } });
  // Arguments are not part of it.
  expect(JSON.stringify(spans.map(({ name, attributes }) => [name, attributes]))).not.toContain('cab-1');
});

test('a tracer that throws costs no workflow', async () => {
  const wrong = (): never => {
    throw new Error('the tracer is broken');
  };
  await using b = await bench(sharedTemporal(), { tracing: { send: wrong, handle: wrong, ended: wrong } });
  await b.workflows.worker({ workflowsPath: sources('rides'), activities });
  const run = await b.workflows.start<(value: unknown) => Promise<unknown>>('echoes', {
    id: b.id('untraced'),
    args: ['x'],
  });
  expect(await run.result()).toBe('x');
});
