import { timingSafeEqual } from 'node:crypto';
import { checkNames, InvalidArgumentError } from '@quorate/core';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { payloadFromJson, payloadToJson } from './payload-json.ts';

export interface CodecEndpointOptions {
  readonly codecs: readonly PayloadCodec[];
  /** From where the page of Temporal is loaded, such as `https://temporal.example`: nobody else's page may ask. */
  readonly origin: string;
  /** Who does not send it as `Authorization: Bearer …` is refused: whoever may ask can read every value. */
  readonly token: string;
  /** Larger requests are refused. Default 8 MiB. */
  readonly maxBytes?: number;
}

/**
 * What Temporal's page and its command ask to show what is encrypted: a handler for `POST /decode` and `POST /encode`.
 *
 *     await run({ name: 'codec', http: { port: 8081, handler: codecEndpoint({ codecs, origin, token }) } });
 */
export function codecEndpoint(options: CodecEndpointOptions): (request: Request) => Promise<Response> {
  const { codecs, origin, token, maxBytes } = checkOptions(options);
  const headers = {
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'POST, OPTIONS',
    'access-control-allow-headers': 'authorization, content-type, x-namespace',
    'cache-control': 'no-store',
    vary: 'origin',
  };
  const answer = (status: number, body: object): Response => Response.json(body, { status, headers });
  return async (request) => {
    const direction = /\/(encode|decode)$/.exec(new URL(request.url).pathname)?.[1] as 'encode' | 'decode' | undefined;
    if (direction === undefined) return answer(404, { error: 'there is /encode and /decode' });
    if (request.method === 'OPTIONS') return new Response(null, { status: 204, headers });
    if (request.method !== 'POST') return answer(405, { error: 'POST is expected' });
    if (!matches(request.headers.get('authorization') ?? '', `Bearer ${token}`))
      return answer(401, { error: 'the right token is missing' });
    const body = await bodyOf(request, maxBytes).catch(() => null);
    if (body === null) return answer(400, { error: 'the request broke off' });
    if (body === undefined) return answer(413, { error: `at most ${maxBytes} bytes are taken` });
    let payloads: Payload[];
    try {
      payloads = (JSON.parse(body) as { payloads: unknown[] }).payloads.map((one) => payloadFromJson(one));
    } catch {
      return answer(400, { error: 'JSON with a list of payloads is expected' });
    }
    try {
      // As the connection does it: encoded from the first codec to the last, decoded the other way.
      const order = direction === 'encode' ? codecs : codecs.toReversed();
      for (const codec of order) payloads = await codec[direction](payloads);
      return answer(200, { payloads: payloads.map((one) => payloadToJson(one)) });
    } catch (error) {
      return answer(422, { error: error instanceof Error ? error.message : 'it can not be read' });
    }
  };
}

/** Nothing when it is longer. */
async function bodyOf(request: Request, maxBytes: number): Promise<string | undefined> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of request.body ?? []) {
    bytes += part.length;
    if (bytes > maxBytes) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

function matches(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function checkOptions(options: CodecEndpointOptions): Required<CodecEndpointOptions> {
  checkNames('options', options, ['codecs', 'origin', 'token', 'maxBytes']);
  const { codecs, origin, token, maxBytes = 8 * 2 ** 20 } = options;
  if (!Array.isArray(codecs) || codecs.length === 0) throw new InvalidArgumentError('codecs', 'a list of codecs');
  if (typeof origin !== 'string' || !URL.canParse(origin) || new URL(origin).origin !== origin)
    throw new InvalidArgumentError('origin', 'an origin such as "https://temporal.example"', origin);
  if (typeof token !== 'string' || token.length < 16)
    throw new InvalidArgumentError('token', 'text of at least 16 characters');
  if (!(Number.isInteger(maxBytes) && maxBytes >= 1))
    throw new InvalidArgumentError('maxBytes', 'a whole number above 0', maxBytes);
  return { codecs, origin, token, maxBytes };
}
