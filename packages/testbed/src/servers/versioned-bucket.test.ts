import { expect, test } from 'vitest';
import { signed } from './versioned-bucket.ts';

test('signs the request that the documentation of S3 signs as it does', () => {
  const { authorization } = signed(
    {
      region: 'us-east-1',
      endpoint: 'https://examplebucket.s3.amazonaws.com',
      credentials: {
        accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
        secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      },
    },
    { method: 'GET', path: '/', query: 'lifecycle=', body: '', now: new Date('2013-05-24T00:00:00Z') },
  );
  expect(authorization).toMatch(/Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543$/);
});
