import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Testbed } from '@quorate/testbed';
import { Ports } from '@quorate/testbed/peers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, creatorAcl, type Permission } from '../src/index.ts';
import { codeOf } from './conformance.ts';

let bed: Testbed & { zookeeper: { url: string } };
let folder: string;
let secure: string;
const ports = new Ports();
const pem = (name: string): string => readFileSync(join(folder, `${name}.pem`), 'utf8');

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quorate-zk-security-'));
  certificates();
  writeFileSync(
    join(folder, 'jaas.conf'),
    'Server { org.apache.zookeeper.server.auth.DigestLoginModule required user_bob="builder"; };\n',
  );
  const port = await ports.claim();
  secure = `127.0.0.1:${port}`;
  const config = {
    serverCnxnFactory: 'org.apache.zookeeper.server.NettyServerCnxnFactory',
    secureClientPort: port,
    secureClientPortAddress: '127.0.0.1',
    'ssl.keyStore.location': join(folder, 'server-store.pem'),
    'ssl.trustStore.location': join(folder, 'ca.pem'),
    'ssl.clientAuth': 'want',
    'authProvider.sasl': 'org.apache.zookeeper.server.auth.SASLAuthenticationProvider',
    'authProvider.x509': 'org.apache.zookeeper.server.auth.X509AuthenticationProvider',
  };
  const jvm = [`-Djava.security.auth.login.config=${join(folder, 'jaas.conf')}`];
  bed = await Testbed.start({ zookeeper: { members: 1, config, jvm } });
});
afterAll(async () => {
  await bed?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** An authority, a server it vouches for, and a client it vouches for. */
function certificates(): void {
  const openssl = (...args: string[]): void => {
    execFileSync(process.env.OPENSSL ?? 'openssl', args, { cwd: folder, stdio: 'pipe' });
  };
  openssl(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=authority',
    '-keyout',
    'ca-key.pem',
    '-out',
    'ca.pem',
  );
  for (const [name, subject] of [
    ['server', '/CN=localhost'],
    ['client', '/CN=alice'],
  ] as const) {
    openssl(
      'req',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      subject,
      '-keyout',
      `${name}-key.pem`,
      '-out',
      `${name}.csr`,
    );
    writeFileSync(join(folder, `${name}.ext`), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
    openssl(
      'x509',
      '-req',
      '-days',
      '2',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca-key.pem',
      '-CAcreateserial',
      '-extfile',
      `${name}.ext`,
      '-out',
      `${name}.pem`,
    );
  }
  writeFileSync(join(folder, 'server-store.pem'), `${pem('server-key')}${pem('server')}`);
}

test('a digest identity opens what it has sealed, and another does not', async () => {
  await using owner = await connect(bed.zookeeper.url, {
    auth: { scheme: 'digest', user: 'ann', password: 'secret:word' },
  });
  await owner.create('/sealed', 'x', { acl: creatorAcl });
  await owner.set('/sealed', 'y');
  await using stranger = await connect(bed.zookeeper.url, {
    auth: { scheme: 'digest', user: 'ann', password: 'wrong' },
  });
  expect(await codeOf(stranger.get('/sealed'))).toBe('no-auth');
  await stranger.addAuth({ scheme: 'digest', credentials: 'ann:secret:word' });
  expect((await stranger.get('/sealed')).data.toString()).toBe('y');
  expect(await owner.whoAmI()).toContainEqual({ scheme: 'digest', id: 'ann' });
});

test('credentials that were added are given on the next connection as well', async () => {
  await using owner = await connect(bed.zookeeper.url, {
    auth: { scheme: 'digest', user: 'ben', password: 'secret' },
  });
  await owner.create('/bens', 'x', { acl: creatorAcl });
  const link = bed.link('added', 'zookeeper-1');
  await using late = await connect(await link.address);
  await late.addAuth({ scheme: 'digest', user: 'ben', password: 'secret' });
  const suspended = new Promise<void>((resolve) => late.on('state', (state) => state === 'suspended' && resolve()));
  await link.reset();
  await suspended;
  expect((await late.get('/bens')).data.toString()).toBe('x');
});

test('what its owner does with an acl after connecting opens no node', async () => {
  const permissions: Permission[] = ['read'];
  await using zk = await connect(bed.zookeeper.url, { acl: [{ permissions, scheme: 'world', id: 'anyone' }] });
  permissions.push('write', 'admin');
  await zk.create('/copied');
  expect((await zk.acl('/copied')).acl).toEqual([{ permissions: ['read'], scheme: 'world', id: 'anyone' }]);
});

test('credentials the server refuses end connecting with an error that does not show them', async () => {
  const error = await connect(bed.zookeeper.url, { auth: { scheme: 'nonesuch', credentials: 'hunter2' } }).catch(
    (e) => e,
  );
  expect(error).toMatchObject({ code: 'auth-failed' });
  expect(inspect(error, { depth: 9 })).not.toContain('hunter2');
});

test('credentials added later and refused leave the session as it was', async () => {
  await using zk = await connect(bed.zookeeper.url);
  expect(await codeOf(zk.addAuth({ scheme: 'nonesuch', credentials: 'x' }))).toBe('auth-failed');
  expect((await zk.children('/')).names).toContain('zookeeper');
});

test('SASL: who knows the password is let in, who does not is told so without delay', async () => {
  await using zk = await connect(bed.zookeeper.url, {
    sasl: { mechanism: 'DIGEST-MD5', user: 'bob', password: 'builder' },
  });
  await zk.create('/bobs', '', { acl: [{ permissions: 'all', scheme: 'sasl', id: 'bob' }] });
  await zk.set('/bobs', 'x');
  expect(await zk.whoAmI()).toContainEqual({ scheme: 'sasl', id: 'bob' });
  const wrong = connect(bed.zookeeper.url, { sasl: { mechanism: 'DIGEST-MD5', user: 'bob', password: 'wrong-one' } });
  expect(await codeOf(wrong)).toBe('auth-failed');
});

test('TLS: the server is verified, with and without a certificate of ours', async () => {
  await using zk = await connect(secure, { tls: { ca: pem('ca') } });
  await zk.create('/over-tls', Buffer.alloc(200_000, 'x'));
  expect((await zk.get('/over-tls')).data).toHaveLength(200_000);
  await using alice = await connect(secure, { tls: { ca: pem('ca'), cert: pem('client'), key: pem('client-key') } });
  expect(await alice.whoAmI()).toContainEqual({ scheme: 'x509', id: 'CN=alice' });
  await alice.create('/alices', '', { acl: creatorAcl });
  expect(await codeOf(zk.get('/alices'))).toBe('no-auth');
});

test('TLS: a server that nobody vouches for is not talked to', async () => {
  const error = await connect(secure, { tls: true, timeout: 800 }).catch((e) => e);
  expect(error).toMatchObject({ code: 'deadline-exceeded' });
  expect(error.message).toMatch(/certificate|self-signed/);
});

test('TLS on one side alone fails in time', async () => {
  expect(await codeOf(connect(bed.zookeeper.url, { tls: { ca: pem('ca') }, timeout: 800 }))).toBe('deadline-exceeded');
  expect(await codeOf(connect(secure, { timeout: 800 }))).toBe('deadline-exceeded');
});
