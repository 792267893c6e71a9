import { connect } from 'node:net';
import { deadline } from '@quorate/core';

interface Bed {
  readonly redis: { readonly password: string };
}

/**
 * A bare connection to Redis, which sees every byte and every end as it comes: no client retries behind our back. It has
 * said the password before all else, and heard that it was right: neither counts.
 */
export interface RedisLine extends Disposable {
  send(command: string): void;
  /** All that has come. */
  received(): string;
  /** Sends, and resolves with what comes next, up to a line's end. */
  ask(command: string): Promise<string>;
  /** How it ended: `end` or the code of an error. Undefined while it is open. */
  ended(): string | undefined;
}

const welcome = '+OK\r\n';

/** What it sends first. */
export function greeting({ redis }: Bed): string {
  return `AUTH ${redis.password}\r\n`;
}

export async function redisLine(bed: Bed, address: string | Promise<string>): Promise<RedisLine> {
  const [host = '', port] = (await address).split(':');
  const socket = connect({ host, port: Number(port), noDelay: true });
  let all = '';
  const received = (): string => all.slice(welcome.length);
  let ended: string | undefined;
  let heard = (): void => {};
  socket.setEncoding('utf8');
  socket.on('data', (text) => {
    all += text;
    heard();
  });
  socket.write(greeting(bed));
  socket.on('end', () => (ended ??= 'end'));
  socket.on('error', ({ code }: NodeJS.ErrnoException) => (ended ??= code));
  const send = (command: string): void => void socket.write(`${command}\r\n`);
  return {
    send,
    received,
    ended: () => ended,
    ask: (command) =>
      new Promise((resolve, reject) => {
        const limit = deadline(10_000);
        limit.signal.addEventListener('abort', () => reject(limit.signal.reason));
        const from = received().length;
        heard = () => {
          const end = received().indexOf('\r\n', from);
          if (end === -1) return;
          limit[Symbol.dispose]();
          resolve(received().slice(from, end));
        };
        send(command);
      }),
    [Symbol.dispose]: () => socket.destroy(),
  };
}
