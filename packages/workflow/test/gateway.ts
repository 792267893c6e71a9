// What stands before a Temporal that is for many: it ends TLS, asks for a certificate, and for a key. The development server does neither.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import {
  connect,
  createSecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificates extends Disposable {
  pem(name: 'ca' | 'server' | 'server-key' | 'client' | 'client-key'): string;
}

/** An authority, and a server and a client that it vouches for. */
export function certificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-test-'));
  const openssl = (line: string): void => {
    execFileSync(process.env.OPENSSL ?? 'openssl', line.split(' '), { cwd: folder, stdio: 'pipe' });
  };
  const key = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes';
  openssl(`req -x509 ${key} -days 2 -subj /CN=authority -keyout ca-key.pem -out ca.pem`);
  writeFileSync(join(folder, 'names'), 'subjectAltName=DNS:temporal.example\n');
  for (const name of ['server', 'client']) {
    openssl(`req ${key} -subj /CN=${name} -keyout ${name}-key.pem -out ${name}.csr`);
    openssl(`x509 -req -in ${name}.csr -CA ca.pem -CAkey ca-key.pem -days 2 -extfile names -out ${name}.pem`);
  }
  return {
    pem: (name) => readFileSync(join(folder, `${name}.pem`), 'utf8'),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

export interface Gateway extends AsyncDisposable {
  readonly address: string;
  /** What it takes as keys at the moment; nothing to take all. */
  readonly keys: Set<string>;
  /** Which calls came with which keys: `StartWorkflowExecution secret`. */
  readonly seen: Set<string>;
}

export async function gateway(
  temporal: string,
  { pem }: Certificates,
  { asksForCertificate = false }: { readonly asksForCertificate?: boolean } = {},
): Promise<Gateway> {
  const upstream = connect(`http://${temporal}`);
  upstream.on('error', () => {});
  const seen = new Set<string>();
  const server = createSecureServer({
    key: pem('server-key'),
    cert: pem('server'),
    ca: pem('ca'),
    requestCert: asksForCertificate,
    rejectUnauthorized: asksForCertificate,
  });
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => {});
    session.on('close', () => sessions.delete(session));
  });
  const keys = new Set<string>();
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => {});
    const shown = headers.authorization?.replace('Bearer ', '') ?? '';
    seen.add(`${headers[':path']?.split('/').at(-1)} ${shown}`);
    if (keys.size > 0 && !keys.has(shown)) {
      const refused = { 'grpc-status': '16', 'grpc-message': 'the key is not known here' };
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...refused }, { endStream: true });
      return;
    }
    const onward = upstream.request({ ...headers, ':authority': temporal, ':scheme': 'http' });
    onward.on('error', () => stream.close());
    stream.on('close', () => onward.close());
    let trailers: IncomingHttpHeaders = {};
    onward.on('response', (answered, flags) => {
      // What is refused at once has no body, and no trailers.
      const ends = (flags & 1) === 1;
      if (stream.destroyed) return;
      stream.respond(answered, ends ? { endStream: true } : { waitForTrailers: true });
      if (!ends) onward.pipe(stream);
    });
    onward.on('trailers', (came) => {
      trailers = came;
    });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    keys,
    seen,
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      for (const session of sessions) session.destroy();
      upstream.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
