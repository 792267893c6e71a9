import { CreateBucketCommand, PutBucketVersioningCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';

/** Makes a bucket that keeps versions; one that is there already is left as it is. */
export async function makeVersionedBucket(client: S3ClientConfig, bucket: string, signal: AbortSignal): Promise<void> {
  const s3 = new S3Client({ ...client, forcePathStyle: true, maxAttempts: 1 });
  try {
    await s3.send(new CreateBucketCommand({ Bucket: bucket }), { abortSignal: signal }).catch((error: Error) => {
      if (!error.name.startsWith('BucketAlready')) throw error;
    });
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await s3.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }), { abortSignal: signal });
  } finally {
    s3.destroy();
  }
}
