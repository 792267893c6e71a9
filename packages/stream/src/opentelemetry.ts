import {
  type Attributes,
  type Context,
  context,
  type Meter,
  type ObservableResult,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { isQuorateError } from '@quorate/core';
import type { Consumer } from './consuming/consumer.ts';
import type { Handling, Sending, Tracing } from './tracing.ts';

const system = { 'messaging.system': 'kafka' };

/**
 * Spans for messages that are sent and handled. What handles a message is a child of what sent it, in whatever process that was.
 *
 *     const stream = new Stream({ brokers, tracing: openTelemetry(trace.getTracer('taxi')) });
 */
export function openTelemetry(tracer: Tracer): Tracing {
  return {
    send: (message, add, work) =>
      producing(tracer, 'send', message, add, async (span) => {
        const sent = await work();
        span.setAttributes({
          'messaging.destination.partition.id': String(sent.partition),
          'messaging.kafka.offset': Number(sent.offset),
        });
        return sent;
      }),
    create: (message, add, work) => producing(tracer, 'create', message, add, work),
    handle: (message, work) => {
      const { headers, topic } = message;
      const get = { get: (_: unknown, name: string) => headers[name], keys: () => Object.keys(headers) };
      // What is active here is that under which the consumer was started.
      const sender = propagation.extract(ROOT_CONTEXT, undefined, get);
      const span = tracer.startSpan(
        `process ${topic}`,
        { kind: SpanKind.CONSUMER, attributes: ofHandling(message) },
        sender,
      );
      return within(trace.setSpan(sender, span), span, work);
    },
  };
}

/** Has a meter read the counts of a consumer, and how far it is behind, whenever it collects. Dispose it when the consumer has stopped. */
export function observe(consumer: Consumer, meter: Meter): Disposable {
  const group = { ...system, 'messaging.consumer.group.name': consumer.group };
  const messages = meter.createObservableCounter('messaging.client.consumed.messages', {
    unit: '{message}',
    description: 'Messages by what became of them',
  });
  const lag = meter.createObservableGauge('messaging.kafka.consumer.lag', {
    unit: '{message}',
    description: 'Messages that are not done with, by partition',
  });
  const age = meter.createObservableGauge('messaging.kafka.consumer.age', {
    unit: 's',
    description: 'The age of the oldest message that is not done with',
  });
  const readMessages = (result: ObservableResult): void => {
    const { handled, failures, duplicates, fenced, deadLetters, dropped } = consumer.stats();
    const outcomes = { handled, failed: failures, duplicate: duplicates, fenced, dead: deadLetters, dropped };
    for (const [outcome, count] of Object.entries(outcomes))
      result.observe(count, { ...group, 'quorate.outcome': outcome });
  };
  const readLag = (result: ObservableResult): void => {
    for (const { topic, partition, lag: behind } of consumer.lag().partitions)
      result.observe(Number(behind), {
        ...group,
        'messaging.destination.name': topic,
        'messaging.destination.partition.id': String(partition),
      });
  };
  const readAge = (result: ObservableResult): void => result.observe(consumer.lag().oldestMs / 1_000, group);
  messages.addCallback(readMessages);
  lag.addCallback(readLag);
  age.addCallback(readAge);
  return {
    [Symbol.dispose]: () => {
      messages.removeCallback(readMessages);
      lag.removeCallback(readLag);
      age.removeCallback(readAge);
    },
  };
}

/** The span of a message that comes into being, which those that handle it are children of. */
function producing<T>(
  tracer: Tracer,
  operation: 'send' | 'create',
  message: Sending,
  add: (name: string, text: string) => void,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const attributes = ofSending(operation, message);
  const span = tracer.startSpan(`${operation} ${message.topic}`, { kind: SpanKind.PRODUCER, attributes });
  const around = trace.setSpan(context.active(), span);
  propagation.inject(around, undefined, { set: (_, name, text) => add(name, text) });
  return within(around, span, () => work(span));
}

async function within<T>(around: Context, span: Span, work: () => Promise<T>): Promise<T> {
  try {
    return await context.with(around, work);
  } catch (error) {
    span.setAttribute('error.type', isQuorateError(error) ? error.code : 'error');
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}

function ofSending(operation: 'send' | 'create', { topic, id, key, bytes }: Sending): Attributes {
  return {
    ...system,
    'messaging.operation.name': operation,
    'messaging.operation.type': operation,
    'messaging.destination.name': topic,
    'messaging.message.id': id,
    'messaging.message.body.size': bytes,
    ...(key !== undefined && { 'messaging.kafka.message.key': key }),
  };
}

function ofHandling({ topic, partition, offset, group, id, attempt }: Handling): Attributes {
  return {
    ...system,
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': topic,
    'messaging.destination.partition.id': String(partition),
    'messaging.kafka.offset': Number(offset),
    'messaging.consumer.group.name': group,
    'quorate.attempt': attempt,
    ...(id !== undefined && { 'messaging.message.id': id }),
  };
}
