import { finished, Readable } from 'node:stream';
import type { Endpoint } from './balancer.ts';

/** `node:stream` takes those of the web as well; its types do not know. */
type Body = NodeJS.ReadableStream;

/**
 * How an instance did is known when the body of its answer is over: one that breaks off, or that does not end by the deadline, is
 * a failure. This looks on without reading: the body arrives as it would, and what nobody reads can be collected.
 */
export function whenOver(body: Response['body'], endpoint: Endpoint, deadline: AbortSignal, caller: AbortSignal): void {
  if (!body) {
    endpoint[Symbol.dispose]();
    return;
  }
  // There are callers who never read it, and that does not make the instance busy.
  endpoint.answered();
  finished(body as unknown as Body, (error) => {
    // Who never began to read has not waited either.
    const unread = deadline.aborted && !Readable.isDisturbed(body as unknown as Body);
    if (error && !unread) {
      if (caller.aborted) endpoint.abandoned();
      else endpoint.failed();
    }
    endpoint[Symbol.dispose]();
  });
}
