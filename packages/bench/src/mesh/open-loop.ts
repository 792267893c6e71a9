// A client, in a thread of its own. It asks at its own pace, whether answers come or not: one that waited for each answer
// would ask less while the other side is slow, and so not see how slow it is.
import { Agent as HttpAgent, type RequestOptions, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { parentPort, workerData } from 'node:worker_threads';
import { isService } from '@quorate/mesh';
import { quantile } from '../quantile.ts';

export interface OpenLoop {
  readonly url: string;
  readonly perSecond: number;
  readonly seconds: number;
  /** For an address that speaks mutual TLS: who we are, and who we mean. */
  readonly identity?: { readonly ca: string[]; readonly cert: string; readonly key: string; readonly service: string };
}

export interface OpenLoopResult {
  readonly p50: number;
  readonly p99: number;
  readonly failed: number;
}

const { url, perSecond, seconds, identity } = workerData as OpenLoop;
const { hostname, port } = new URL(url);
const sockets = { keepAlive: true, maxSockets: 256 };
const secure =
  identity &&
  new HttpsAgent({ ...sockets, ...identity, checkServerIdentity: isService(identity.service), servername: '' });
const options: RequestOptions = { host: hostname, port, agent: secure ?? new HttpAgent(sockets) };
const send = secure ? requestHttps : requestHttp;

const milliseconds: number[] = [];
let failed = 0;

/** Counted from when it was to be sent: waiting for a turn is part of how long it takes. */
function ask(due: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (ok: boolean): void => {
      if (ok) milliseconds.push(performance.now() - due);
      else failed += 1;
      resolve();
    };
    send(options, (response) => {
      response.resume().on('end', () => done(response.statusCode === 200));
    })
      .on('error', () => done(false))
      .end();
  });
}

/** Returns when all have been answered. */
async function run(count: number): Promise<void> {
  const begin = performance.now();
  const asked: Promise<void>[] = [];
  while (asked.length < count) {
    const due = Math.min(count, Math.floor(((performance.now() - begin) / 1_000) * perSecond) + 1);
    while (asked.length < due) asked.push(ask(begin + (asked.length / perSecond) * 1_000));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(asked);
}

// Connections are opened and code is compiled before anything is counted.
await run(Math.min(500, perSecond));
milliseconds.length = 0;
failed = 0;
await run(perSecond * seconds);
milliseconds.sort((a, b) => a - b);
const [p50, p99] = [quantile(milliseconds, 0.5), quantile(milliseconds, 0.99)];
parentPort?.postMessage({ p50, p99, failed } satisfies OpenLoopResult);
options.agent instanceof HttpAgent && options.agent.destroy();
secure?.destroy();
