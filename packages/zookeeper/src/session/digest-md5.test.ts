import { expect, test } from 'vitest';
import { DigestMd5 } from './digest-md5.ts';

const challenge = Buffer.from('realm="zk-sasl-md5",nonce="OA6MG9tEQGm2hh",charset=utf-8,algorithm=md5-sess,qop="auth"');

test('answers a challenge without the password, and with what was asked', () => {
  const answer = new DigestMd5('bob', 'secret"\\', 'abc').respond(challenge).toString();
  expect(answer).toMatch(/response=[0-9a-f]{32}/);
  expect(answer).toContain('username="bob",realm="zk-sasl-md5",nonce="OA6MG9tEQGm2hh",nc=00000001,cnonce="abc"');
  expect(answer).not.toContain('secret');
});

test('another password makes another proof, the same one the same', () => {
  const proof = (password: string): string => new DigestMd5('bob', password, 'abc').respond(challenge).toString();
  expect(proof('a')).toBe(proof('a'));
  expect(proof('a')).not.toBe(proof('b'));
});

test.each(['rspauth=0123456789abcdef0123456789abcdef', 'rspauth=', '', 'rspauth=1'])(
  'a server that cannot prove that it knows the password is refused: %j',
  (answer) => {
    const exchange = new DigestMd5('bob', 'secret', 'abc');
    exchange.respond(challenge);
    expect(() => exchange.verify(Buffer.from(answer))).toThrow('could not prove');
  },
);

test.each(['', 'realm="x"', 'nonce="x",qop="auth-conf"'])(
  'a challenge that cannot be answered is refused: %j',
  (text) => {
    expect(() => new DigestMd5('bob', 'secret').respond(Buffer.from(text))).toThrow('authentication by sasl failed');
  },
);
