import { createServer } from 'node:http';
import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { eventually, Testbed } from '../src/index.ts';

interface Event {
  readonly eventName: string;
  readonly awsRegion: string;
  readonly s3: { readonly bucket: { readonly name: string }; readonly object: { readonly key: string } };
}

test('S3 tells a webhook of what is put and removed, also after a restart', async () => {
  const events: Event[] = [];
  const hook = createServer(async (request, response) => {
    const { Records = [] } = JSON.parse((await request.setEncoding('utf8').toArray()).join('')) as {
      Records?: Event[];
    };
    events.push(...Records);
    response.end();
  });
  await new Promise<void>((listening) => hook.listen(0, '127.0.0.1', listening));
  const { port } = hook.address() as { port: number };
  const at = `http://127.0.0.1:${port}/hook`;
  const regions = ['us-east-1', 'eu-west-1'];
  try {
    await using bed = await Testbed.start({ s3: { regions, events: at } });
    const { region, endpoint, credentials, bucket, server } = bed.s3.region('eu-west-1');
    const s3 = new S3Client({ region, endpoint, credentials, forcePathStyle: true });
    const told = (name: string, key: string): Promise<Event> =>
      eventually(`${name} of ${key}`, () =>
        events.find(({ eventName, s3 }) => eventName.includes(name) && s3.object.key === key),
      );
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'rides.csv', Body: '42' }));
    expect(await told('ObjectCreated:Put', 'rides.csv')).toMatchObject({
      awsRegion: region,
      s3: { bucket: { name: bucket } },
    });
    await server.kill();
    await server.restart();
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'rides.csv' }));
    await told('ObjectRemoved:Delete', 'rides.csv');
    s3.destroy();
  } finally {
    hook.closeAllConnections();
    await new Promise((closed) => hook.close(closed));
  }
  const started = Testbed.start({ s3: { regions, events: at } });
  await expect(started).rejects.toMatchObject({ code: 'no-webhook' });
  await expect(started).rejects.toThrow(
    `s3.events: nothing listens at ${at}, and an S3 gateway does not start without its webhook.`,
  );
});
