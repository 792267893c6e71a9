import type { PayloadCodec } from '@temporalio/common';
import { expect, test } from 'vitest';
import { codecEndpoint } from './codec-endpoint.ts';

/** Puts a letter before what it encodes, and takes no other one away. */
function lettered(letter: string): PayloadCodec {
  return {
    encode: async (payloads) =>
      payloads.map((one) => ({ ...one, data: Buffer.concat([Buffer.from(letter), one.data ?? Buffer.of()]) })),
    decode: async (payloads) =>
      payloads.map((one) => {
        const data = Buffer.from(one.data ?? Buffer.of());
        if (data.toString('utf8', 0, 1) !== letter) throw new Error(`"${letter}" was expected`);
        return { ...one, data: data.subarray(1) };
      }),
  };
}

const token = 'a-token-of-the-test';
const handler = codecEndpoint({ codecs: [lettered('a'), lettered('b')], origin: 'https://temporal.example', token });
const post = (direction: 'encode' | 'decode', body: string | ReadableStream): Promise<Response> =>
  handler(
    new Request(`http://127.0.0.1/${direction}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body,
      duplex: 'half',
    } as RequestInit),
  );
const base64 = (text: string): string => Buffer.from(text).toString('base64');

test('codecs are applied in the order of the connection, and taken back in the other one', async () => {
  const plain = JSON.stringify({ payloads: [{ metadata: {}, data: base64('x') }] });
  const encoded = await (await post('encode', plain)).text();
  expect(JSON.parse(encoded)).toMatchObject({ payloads: [{ data: base64('bax') }] });
  const decoded = await post('decode', encoded);
  expect(decoded.status).toBe(200);
  expect(await decoded.json()).toMatchObject({ payloads: [{ data: base64('x') }] });
});

test('a request that breaks off is answered', async () => {
  const broken = new ReadableStream({
    pull(controller) {
      controller.error(new Error('gone'));
    },
  });
  expect((await post('decode', broken)).status).toBe(400);
});
