import { createHash, createHmac } from 'node:crypto';
import { QuorateError } from '@quorate/core';
import { answerTo } from './answers.ts';
import type { S3Region } from './s3-region.ts';

type Where = Pick<S3Region, 'region' | 'endpoint' | 'credentials'>;

/** Makes a bucket that keeps versions; one that is there already is left as it is. */
export async function makeVersionedBucket(where: Where, bucket: string, signal: AbortSignal): Promise<void> {
  await put(where, `/${bucket}`, '', createBucket(where.region), signal);
  await put(where, `/${bucket}`, 'versioning=', versioned, signal);
}

const xml = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';

const versioned = `<VersioningConfiguration ${xml}><Status>Enabled</Status></VersioningConfiguration>`;

/** S3's first region is the one that must not be named. */
function createBucket(region: string): string {
  if (region === 'us-east-1') return '';
  return `<CreateBucketConfiguration ${xml}><LocationConstraint>${region}</LocationConstraint></CreateBucketConfiguration>`;
}

async function put(where: Where, path: string, query: string, body: string, signal: AbortSignal): Promise<void> {
  const headers = signed(where, { method: 'PUT', path, query, body, now: new Date() });
  const url = `${where.endpoint}${path}?${query}`;
  const answer = await answerTo(url, { method: 'PUT', headers, body, signal });
  if (answer.ok || answer.body.includes('<Code>BucketAlready')) return;
  throw new QuorateError(`${url} answered ${answer.status}: ${answer.body}`, { code: 'bucket-not-made' });
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly body: string;
  readonly now: Date;
}

/** The headers of AWS Signature Version 4. Path and query must have nothing in them that would have to be escaped. */
export function signed(
  { region, endpoint, credentials }: Where,
  { method, path, query, body, now }: Request,
): Record<string, string> {
  const time = now.toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`;
  const headers = { host: new URL(endpoint).host, 'x-amz-content-sha256': sha256(body), 'x-amz-date': time };
  const names = Object.keys(headers).join(';');
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  const request = [method, path, query, lines.join(''), names, headers['x-amz-content-sha256']].join('\n');
  const key = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${credentials.secretAccessKey}`);
  const signature = hmac(key, ['AWS4-HMAC-SHA256', time, scope, sha256(request)].join('\n')).toString('hex');
  const credential = `${credentials.accessKeyId}/${scope}`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`;
  return { ...headers, authorization };
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
