import { readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { bedTest } from '@quorate/testbed/vitest';
import { expect } from 'vitest';

interface Recipe {
  readForUpdate(token: bigint): Promise<{ readonly count: number; readonly etag: string }>;
  write(token: bigint, count: number, etag: string): Promise<string>;
}

// The functions of docs/coordination.md, as they stand there.
const text = await readFile(new URL('../../../docs/coordination.md', import.meta.url), 'utf8');
const [, block = ''] = /```ts\n([^`]*?function readForUpdate.*?)```/s.exec(text) ?? [];
const test = bedTest({ s3: ['us-east-1'] });

test('the recipe for a bucket: a former holder is refused, also when the number is again what it has read', async ({
  bed,
}) => {
  const { region, endpoint, credentials, bucket } = bed.s3.region('us-east-1');
  const s3 = new S3Client({ region, endpoint, credentials, forcePathStyle: true });
  const at = { Bucket: bucket, Key: 'rides' };
  const names = ['s3', 'at', 'GetObjectCommand', 'PutObjectCommand'];
  const source = `${stripTypeScriptTypes(block)}\nreturn { readForUpdate, write };`;
  const { readForUpdate, write } = Function(...names, source)(s3, at, GetObjectCommand, PutObjectCommand) as Recipe;
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
