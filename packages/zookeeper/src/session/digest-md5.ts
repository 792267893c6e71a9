import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { AuthFailedError } from '../errors/auth-failed-error.ts';

/** What ZooKeeper's servers call their service and themselves, wherever they run. */
const service = 'zookeeper/zk-sasl-md5';

/** One exchange of SASL DIGEST-MD5 (RFC 2831), seen from the client. */
export class DigestMd5 {
  readonly #user: string;
  readonly #password: string;
  readonly #cnonce: string;
  #expected: string | undefined;

  constructor(user: string, password: string, cnonce: string = randomBytes(16).toString('hex')) {
    this.#user = user;
    this.#password = password;
    this.#cnonce = cnonce;
  }

  /** Answers the server's challenge. */
  respond(challenge: Buffer): Buffer {
    const asked = parseDirectives(challenge.toString());
    const { nonce, realm = '' } = asked;
    if (nonce === undefined) throw new AuthFailedError('sasl', 'the server sent a challenge without a nonce');
    const qops = (asked.qop ?? 'auth').split(',').map((qop) => qop.trim());
    if (!qops.includes('auth'))
      throw new AuthFailedError('sasl', `the server requires qop ${asked.qop}, this client supports only auth`);
    const proof = (method: string): string => this.#proof(method, realm, nonce);
    this.#expected = proof('');
    const directives = [
      `username=${quoted(this.#user)}`,
      `realm=${quoted(realm)}`,
      `nonce=${quoted(nonce)}`,
      'nc=00000001',
      `cnonce=${quoted(this.#cnonce)}`,
      `digest-uri=${quoted(service)}`,
      `response=${proof('AUTHENTICATE')}`,
      'qop=auth',
      'charset=utf-8',
    ];
    return Buffer.from(directives.join(','));
  }

  /** The server proves in turn that it knows the password. */
  verify(answer: Buffer): void {
    const { rspauth = '' } = parseDirectives(answer.toString());
    const [given, expected] = [Buffer.from(rspauth), Buffer.from(this.#expected ?? '')];
    if (given.length !== 32 || given.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw new AuthFailedError('sasl', 'the server could not prove that it knows the password');
    }
  }

  #proof(method: string, realm: string, nonce: string): string {
    const secret = md5(Buffer.from(`${this.#user}:${realm}:${this.#password}`));
    const a1 = md5(Buffer.concat([secret, Buffer.from(`:${nonce}:${this.#cnonce}`)])).toString('hex');
    const a2 = md5(Buffer.from(`${method}:${service}`)).toString('hex');
    return md5(Buffer.from(`${a1}:${nonce}:00000001:${this.#cnonce}:auth:${a2}`)).toString('hex');
  }
}

function md5(bytes: Buffer): Buffer {
  return createHash('md5').update(bytes).digest();
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

function parseDirectives(text: string): Record<string, string | undefined> {
  const found: Record<string, string> = {};
  for (const [, name = '', inQuotes, bare = ''] of text.matchAll(/([a-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^,]*))/gi)) {
    found[name.toLowerCase()] = inQuotes === undefined ? bare.trim() : inQuotes.replace(/\\(.)/g, '$1');
  }
  return found;
}
