import { readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { GetObjectCommand, PutObjectCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { Relay } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { expect } from 'vitest';

interface Recipe {
  readForUpdate(token: bigint): Promise<{ readonly count: number; readonly etag: string }>;
  write(token: bigint, count: number, etag: string): Promise<string>;
}

// The functions of docs/coordination.md, as they stand there.
const text = await readFile(new URL('../../../docs/coordination.md', import.meta.url), 'utf8');
const [, block = ''] = /```ts\n([^`]*?function readForUpdate.*?)```/s.exec(text) ?? [];

function recipe(settings: S3ClientConfig, at: { readonly Bucket: string; readonly Key: string }): Recipe {
  const given = { S3Client, settings, at, GetObjectCommand, PutObjectCommand };
  const source = `${stripTypeScriptTypes(block)}\nreturn { readForUpdate, write };`;
  return Function(...Object.keys(given), source)(...Object.values(given)) as Recipe;
}

const test = bedTest({ s3: ['us-east-1'] });

test('the recipe for a bucket: a former holder is refused, also when the number is again what it has read', async ({
  bed,
}) => {
  const { region, endpoint, credentials, bucket } = bed.s3.region('us-east-1');
  const s3 = new S3Client({ region, endpoint, credentials, forcePathStyle: true });
  const at = { Bucket: bucket, Key: 'rides' };
  const { readForUpdate, write } = recipe({ region, endpoint, credentials, forcePathStyle: true }, at);
  const refused = { name: 'PreconditionFailed' };
  const first = JSON.stringify({ fence: '0', count: 5 });
  await s3.send(new PutObjectCommand({ ...at, Body: first, IfNoneMatch: '*' }));

  // Ann holds token 1, and is stopped before her write. Ben, after her, has token 2: a passenger gets in, one gets out.
  const ann = await readForUpdate(1n);
  const ben = await readForUpdate(2n);
  expect([ann.count, ben.count]).toEqual([5, 5]);
  await expect(write(1n, 4, ann.etag)).rejects.toMatchObject(refused);
  const six = await write(2n, 6, ben.etag);
  await expect(write(1n, 4, ann.etag)).rejects.toMatchObject(refused);
  await write(2n, 5, six);
  await expect(write(1n, 4, ann.etag)).rejects.toMatchObject(refused);
  await expect(readForUpdate(1n)).rejects.toThrow('somebody holds a newer lease, with token 2');
  expect((await readForUpdate(3n)).count).toBe(5);
  s3.destroy();
});

test('the recipe for a bucket: a write whose answer is lost is not said to be refused, and cannot arrive after the next read', async ({
  bed,
}) => {
  const { region, endpoint, credentials, bucket } = bed.s3.region('us-east-1');
  let loses = false;
  const answer = (): 'pass' | 'cut' => {
    const outcome = loses ? 'cut' : 'pass';
    loses = false;
    return outcome;
  };
  await using relay = await Relay.to(new URL(endpoint).host, () => ({ answer }));
  const settings = { region, endpoint: `http://${relay.address}`, credentials, forcePathStyle: true };
  const at = { Bucket: bucket, Key: 'lost' };
  const s3 = new S3Client(settings);
  await s3.send(new PutObjectCommand({ ...at, Body: JSON.stringify({ fence: '0', count: 5 }), IfNoneMatch: '*' }));
  s3.destroy();
  const { readForUpdate, write } = recipe(settings, at);
  const { etag } = await readForUpdate(1n);
  loses = true;
  // Nobody else has ever been here.
  await expect(write(1n, 6, etag)).rejects.not.toMatchObject({ name: 'PreconditionFailed' });
  const first = await readForUpdate(1n);
  expect(first.count).toBe(6);
  // As if this write had been on its way while the next read for update was done: it changes the ETag, under the same token too.
  const second = await readForUpdate(1n);
  await expect(write(1n, 7, first.etag)).rejects.toMatchObject({ name: 'PreconditionFailed' });
  await write(1n, 7, second.etag);
  expect((await readForUpdate(1n)).count).toBe(7);
});
