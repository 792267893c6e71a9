import { connect } from 'node:net';
import { deadline, QuorateError } from '@quorate/core';

/** Nobody listens where the events of S3 are to go. */
export class NoWebhookError extends QuorateError {
  constructor(url: string, cause: unknown) {
    super(
      `s3.events: nothing listens at ${url}, and an S3 gateway does not start without its webhook. ` +
        'Start the webhook first, and keep it running while a gateway restarts.',
      { code: 'no-webhook', retryable: true, cause },
    );
  }
}

/** A gateway that cannot deliver a first event ends, and says so in its log alone. */
export async function checkWebhook(url: string): Promise<void> {
  const { hostname, port, protocol } = new URL(url);
  using limit = deadline(5_000);
  try {
    await new Promise<void>((resolve, reject) => {
      const host = hostname.replace(/^\[|\]$/g, '');
      const socket = connect({ host, port: Number(port || (protocol === 'https:' ? 443 : 80)), signal: limit.signal });
      socket.once('error', reject).once('connect', () => {
        socket.destroy();
        resolve();
      });
    });
  } catch (error) {
    throw new NoWebhookError(url, error);
  }
}
