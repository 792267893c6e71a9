import {
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { isQuorateError } from '@quorate/core';
import { ApplicationFailure } from '@temporalio/common';
import type { Tracing } from './tracing.ts';

/**
 * Spans for what is asked of workflows, for their runs, and for each attempt of an activity. Those of a workflow are children of what
 * started it, in whatever process that was.
 *
 *     const workflows = await Workflows.connect({ address, taskQueue, tracing: openTelemetry(trace.getTracer('taxi')) });
 */
export function openTelemetry(tracer: Tracer): Tracing {
  return {
    send: async ({ operation, type, id }, add, work) => {
      const attributes = { 'quorate.workflow.id': id };
      const span = tracer.startSpan(`${operation} ${type}`, { kind: SpanKind.CLIENT, attributes });
      const around = trace.setSpan(context.active(), span);
      propagation.inject(around, undefined, { set: (_, name, text) => add(name, text) });
      return await within(around, span, work);
    },
    handle: async ({ activity, id, runId, workflow, attempt, headers }, work) => {
      const starter = extracted(headers);
      const attributes = {
        'quorate.workflow.id': id,
        'quorate.workflow.run_id': runId,
        'quorate.workflow.type': workflow,
        'quorate.attempt': attempt,
      };
      const span = tracer.startSpan(`activity ${activity}`, { kind: SpanKind.CONSUMER, attributes }, starter);
      return await within(trace.setSpan(starter, span), span, work);
    },
    ended: ({ workflow, id, runId, outcome, started, ended, headers }) => {
      const attributes = { 'quorate.workflow.id': id, 'quorate.workflow.run_id': runId, 'quorate.outcome': outcome };
      const options = { kind: SpanKind.CONSUMER, attributes, startTime: started };
      const span = tracer.startSpan(`workflow ${workflow}`, options, extracted(headers));
      if (outcome === 'failed') span.setStatus({ code: SpanStatusCode.ERROR });
      span.end(ended);
    },
  };
}

function extracted(headers: Readonly<Record<string, string>>): Context {
  const get = { get: (_: unknown, name: string) => headers[name], keys: () => Object.keys(headers) };
  // What is active here is that under which the worker was started.
  return propagation.extract(ROOT_CONTEXT, undefined, get);
}

async function within<T>(around: Context, span: Span, work: () => Promise<T>): Promise<T> {
  try {
    return await context.with(around, work);
  } catch (error) {
    const type = isQuorateError(error) ? error.code : error instanceof ApplicationFailure ? error.type : undefined;
    span.setAttribute('error.type', type ?? 'error');
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}
