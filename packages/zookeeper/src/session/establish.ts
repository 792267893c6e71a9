import { AuthFailedError } from '../errors/auth-failed-error.ts';
import { ConnectionLostError } from '../errors/connection-lost-error.ts';
import type { Writer } from '../jute/writer.ts';
import { type Auth, credentialBytes, type Sasl } from '../options.ts';
import { op, reservedXid } from '../protocol/op-codes.ts';
import type { WatchRegistry } from '../watch/registry.ts';
import type { ReplaceRequest } from '../watch/replacing.ts';
import { DigestMd5 } from './digest-md5.ts';
import type { Wire } from './wire.ts';

export interface Establishing {
  readonly auth: readonly Auth[];
  readonly sasl: Sasl | undefined;
  readonly watches: readonly ReplaceRequest[];
}

/**
 * What a new connection needs before the requests that wait: who we are, for a watch may need the right to read, then
 * the watches, for a request may change what they watch. Rejects with an AuthFailedError, which is final, or with a
 * ConnectionLostError.
 */
export async function establish(wire: Wire, { auth, sasl, watches }: Establishing): Promise<void> {
  await Promise.all(auth.map((each) => authenticate(wire, each)));
  if (sasl) await authenticateBySasl(wire, sasl);
  await Promise.all(watches.map((request) => replaceWatches(wire, request)));
}

export async function authenticate(wire: Wire, auth: Auth): Promise<void> {
  const encode = (writer: Writer): void => {
    writer.int(0).string(auth.scheme).bytes(credentialBytes(auth));
  };
  const { err } = await answered(wire, wire.exchange(reservedXid.auth, op.auth, encode));
  if (err !== 0)
    throw new AuthFailedError(auth.scheme, 'the server refused the credentials, or does not know the scheme');
}

async function authenticateBySasl(wire: Wire, sasl: Sasl): Promise<void> {
  const exchange = new DigestMd5(sasl.user, sasl.password);
  exchange.verify(await saslStep(wire, exchange.respond(await saslStep(wire, Buffer.alloc(0)))));
}

async function saslStep(wire: Wire, token: Buffer): Promise<Buffer> {
  const encode = (writer: Writer): void => {
    writer.bytes(token);
  };
  // The queue is idle, so any number will do that is not one of the reserved.
  const { err, body } = await answered(wire, wire.exchange(0, op.sasl, encode));
  if (err !== 0) throw new AuthFailedError('sasl', 'the server refused the user or the password');
  return Buffer.from(body.bytes());
}

async function replaceWatches(wire: Wire, { code, encode }: ReplaceRequest): Promise<void> {
  const { err } = await answered(wire, wire.exchange(reservedXid.setWatches, code, encode));
  if (err === 0) return;
  throw new ConnectionLostError(wire.server, `the server refused to place our watches again (error ${err})`);
}

/**
 * A server that does not know persistent watches cannot place them again, and whoever reads them is told that they have
 * ended. To be called before the watches are listed for `establish`; rejects with a ConnectionLostError.
 */
export async function endUnknownWatches(wire: Wire, watches: WatchRegistry): Promise<void> {
  if (!watches.hasPersistent) return;
  const { version } = wire;
  if (!version.isAsked) await answered(wire, version.learn());
  watches.refusePersistent((path) => version.refusal({ operation: 'watch', path, code: op.setWatches2 }));
}

/** The reply, or the end of the connection as an error. */
async function answered<T>(wire: Wire, reply: Promise<T>): Promise<T> {
  const first = await Promise.race([reply, wire.ended]);
  if (first instanceof ConnectionLostError) throw first;
  return first;
}
