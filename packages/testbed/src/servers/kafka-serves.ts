import { connect } from 'node:net';

// Of Kafka's protocol only three requests, in versions that every broker since 2.1 speaks. A client library would be
// heavier than all of the rest of the testbed, and kafkajs prints warnings of its own on today's Node.
const metadata = { key: 3, version: 1 } as const;
const findCoordinator = { key: 10, version: 1 } as const;
const offsetFetch = { key: 9, version: 2 } as const;

const group = 'quorate-testbed-ready';

/**
 * Whether a broker knows `brokers` brokers and the coordinator for a consumer group serves: right after the start it is
 * not chosen, then loading for a while, and a first consumer would fail.
 */
export async function kafkaServes(address: string, brokers: number, signal: AbortSignal): Promise<boolean> {
  const known = await request(address, metadata, int32(0), signal);
  if (known.readInt32BE(0) < brokers) return false;
  const found = await request(address, findCoordinator, Buffer.concat([text(group), Buffer.of(0)]), signal);
  if (found.readInt16BE(4) !== 0) return false;
  // Only the coordinator itself knows whether it has loaded: another broker would say "not me" in either case.
  const offsets = await request(coordinatorIn(found), offsetFetch, Buffer.concat([text(group), int32(-1)]), signal);
  return offsets.readInt16BE(offsets.length - 2) === 0;
}

/** After the throttle time and the error: a message, which may be null, the node's number, its host and its port. */
function coordinatorIn(found: Buffer): string {
  const host = 8 + Math.max(0, found.readInt16BE(6)) + 4;
  const port = host + 2 + found.readInt16BE(host);
  return `${found.toString('utf8', host + 2, port)}:${found.readInt32BE(port)}`;
}

interface Request {
  readonly key: number;
  readonly version: number;
}

/** Sends one request on a connection of its own; resolves with the answer after its correlation id. */
function request(address: string, { key, version }: Request, body: Buffer, signal: AbortSignal): Promise<Buffer> {
  const header = Buffer.alloc(8);
  header.writeInt16BE(key, 0);
  header.writeInt16BE(version, 2);
  const message = Buffer.concat([header, text('quorate'), body]);
  const [host = '', port] = address.split(':');
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port) });
    const abort = (): void => void socket.destroy(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    let answer = Buffer.alloc(0);
    socket.on('connect', () => socket.write(Buffer.concat([int32(message.length), message])));
    socket.on('data', (chunk: Buffer) => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length < 4 || answer.length < 4 + answer.readInt32BE(0)) return;
      resolve(answer.subarray(8));
      socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => {
      signal.removeEventListener('abort', abort);
      reject(new Error(`${address} closed the connection`));
    });
  });
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
