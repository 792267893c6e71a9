import { connect } from 'node:net';
import { succeeds } from '../servers/answers.ts';
import type { Place, Ready } from './own-options.ts';

/** A launched server, as far as a probe sees it. */
interface Probed {
  /** Changes with each start. */
  readonly pid: number | undefined;
  /** What it has logged since it started. */
  logged(): Promise<string>;
}

/** Turns what was said about readiness into a question. */
export function probe(ready: Ready, place: Place, server: () => Probed): (signal: AbortSignal) => Promise<boolean> {
  if (typeof ready === 'function') return async (signal) => ready(signal, place);
  if ('log' in ready) return hasLogged(ready.log, server);
  const port = ready.port === undefined ? place.port : Number((place.ports as Record<string, number>)[ready.port]);
  if ('tcp' in ready) return (signal) => accepts(port, signal);
  return (signal) => succeeds(`http://127.0.0.1:${port}${ready.http}`, signal);
}

function hasLogged({ source, flags }: RegExp, server: () => Probed): () => Promise<boolean> {
  // With g or y it would remember between two lines where it stood.
  const pattern = new RegExp(source, flags.replace(/[gy]/g, ''));
  // A long log is not read again for each question about its health.
  let seen: number | undefined;
  return async () => {
    const { pid } = server();
    if (pid === undefined) return false;
    if (seen === pid) return true;
    const lines = (await server().logged()).split('\n');
    if (!lines.some((line) => pattern.test(line))) return false;
    seen = pid;
    return true;
  };
}

function accepts(port: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, signal });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
