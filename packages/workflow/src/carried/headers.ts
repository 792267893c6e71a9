import { defaultPayloadConverter, type Headers } from '@temporalio/common';

/** What goes with a call beside its arguments: from the client into the workflow, and from there into activities and children. */
export interface Carried {
  /** A fencing token, in decimal: JSON has no `bigint`. */
  readonly token?: string;
  /** Of a trace, by the names of its propagator. */
  readonly trace?: Readonly<Record<string, string>>;
  /** The key of the step, to an activity. */
  readonly step?: string;
  /** The keys of the steps that an activity is to undo. */
  readonly undoes?: readonly string[];
}

const name = 'quorate';

export function withCarried(headers: Headers, carried: Carried): Headers {
  return { ...headers, [name]: defaultPayloadConverter.toPayload(carried) };
}

export function carriedBy(headers: Headers): Carried {
  const payload = headers[name];
  return payload === undefined ? {} : (defaultPayloadConverter.fromPayload<Carried | null>(payload) ?? {});
}
