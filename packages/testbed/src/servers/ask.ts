import { connect } from 'node:net';

/** An answer is refused beyond this: nobody we ask has more to say. */
const longest = 1024 * 1024;

/** Sends a few bytes to a server and resolves with its answer: up to where `whole` is satisfied, or to the end. */
export function ask(
  address: string,
  question: string | Uint8Array,
  { whole = () => false, signal }: { readonly whole?: (answer: string) => boolean; readonly signal: AbortSignal },
): Promise<string> {
  const [host = '', port] = address.split(':');
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect({ host, port: Number(port) });
    const abort = (): void => void socket.destroy(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write(question));
    socket.on('data', (text) => {
      answer += text;
      if (whole(answer) || answer.length > longest) socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => {
      signal.removeEventListener('abort', abort);
      resolve(answer);
    });
  });
}
