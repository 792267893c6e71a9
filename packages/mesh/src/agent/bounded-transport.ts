import type { IncomingMessage } from 'node:http';
import type { ConsulClient } from './consul-package.ts';

/** The answer has more bytes than were allowed. */
export class TooLarge extends Error {}

/** The answer is none that was to be expected. */
export class Misshapen extends Error {}

/**
 * Makes the package's client safe against what it does not look at: an answer without an end, which it would hold in
 * memory whole, a connection that breaks in the middle of an answer, for which it would wait for ever, and an answer of another
 * shape than it has to have. What is asked in the background does not keep the process alive, and its context hears (`sent`) when a request is on its way.
 */
export function boundReplies(client: ConsulClient, maxReplySize: number): void {
  client._ext('onRequest', (request, next) => {
    const { transport } = request;
    request.transport = {
      request: (options) => {
        // Of an IPv6 address the client keeps the brackets, and Node would look them up as a name.
        const hostname = options.hostname?.replace(/^\[|\]$/g, '');
        const sent = transport.request({ ...options, ...(hostname !== undefined && { hostname }) });
        const { ctx } = request.opts;
        sent.on('socket', (socket) => {
          if (ctx?.background) socket.unref();
          // What is written before that waits in this process.
          const connected = 'encrypted' in socket ? 'secureConnect' : 'connect';
          if (!socket.connecting) ctx?.emit('sent');
          else socket.once(connected, () => ctx?.emit('sent'));
        });
        sent.on('response', (response: IncomingMessage) => {
          let size = 0;
          response.on('data', (chunk: Buffer) => {
            size += chunk.length;
            if (size > maxReplySize) sent.destroy(new TooLarge());
          });
          response.on('error', (error) => sent.emit('error', error));
        });
        return sent;
      },
    };
    next();
  });
  client._ext('onResponse', ({ err, res, opts: { ctx } }, next) => {
    // The package would stumble over it.
    if (!err && ctx?.shape && !ctx.shape(res?.body)) next(false, new Misshapen());
    else next();
  });
}
