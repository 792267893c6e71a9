import { randomUUID } from 'node:crypto';
import { connect } from 'node:http2';

/** Asks a Spark Connect server for its version, as a client does first. Undefined when it answers with anything else. */
export async function sparkVersion(address: string, token: string, signal: AbortSignal): Promise<string | undefined> {
  const session = connect(`http://${address}`);
  // The stream fails with it.
  session.on('error', () => {});
  const abort = (): void => session.destroy(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    const call = session.request({
      ':method': 'POST',
      ':path': '/spark.connect.SparkConnectService/AnalyzePlan',
      'content-type': 'application/grpc',
      te: 'trailers',
      authorization: `Bearer ${token}`,
    });
    call.end(message(request()));
    const answer = Buffer.concat(await call.toArray()).toString('latin1');
    return /\d+\.\d+\.\d+/.exec(answer.replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, ''))?.[0];
  } finally {
    signal.removeEventListener('abort', abort);
    session.destroy();
  }
}

/** A request to analyze nothing but the version: fields 1 (session), 2 (user: field 1, his id) and 10 (the version). */
function request(): Buffer {
  return Buffer.concat([field(1, Buffer.from(randomUUID())), field(2, field(1, Buffer.from('quorate'))), field(10)]);
}

/** A field of a protobuf message that holds bytes, less than 128 of them. */
function field(number: number, content: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2, content.length]), content]);
}

/** As gRPC frames it: not compressed, and how long. */
function message(content: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(content.length, 1);
  return Buffer.concat([head, content]);
}
