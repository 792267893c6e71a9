import { CreateTableCommand, DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Connection } from '@temporalio/client';
import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import { expect, type TestAPI } from 'vitest';
import type { BedOf, everything, Server } from '../src/index.ts';
import { zookeeperClient } from './zookeeper-client.ts';

/** Kills the server with no goodbye and brings it back: at the same address, in another process. */
async function killAndRestart(server: Server): Promise<void> {
  const { address, pid } = server;
  await server.kill();
  expect(server.state).toBe('killed');
  expect(await server.health()).toEqual({ status: 'fail', detail: 'killed' });
  await server.restart();
  expect(server).toMatchObject({ address, state: 'running' });
  expect(server.pid).not.toBe(pid);
}

/** Every server is killed, and has what it acknowledged when it is back. Last of all: others need them well. */
export function durability(test: TestAPI<{ bed: BedOf<typeof everything> }>): void {
  test('ZooKeeper still has its nodes after a kill', async ({ bed }) => {
    {
      using before = await zookeeperClient(bed.zookeeper.url);
      await before.create('/kept', '42');
    }
    await killAndRestart(bed.zookeeper.member(1));
    using after = await zookeeperClient(bed.zookeeper.url);
    expect(await after.get('/kept')).toBe('42');
  });

  test('Redis still has every acknowledged write after a kill', async ({ bed }) => {
    const before = new Redis(bed.redis.url);
    for (let index = 0; index < 1_000; index += 1) await before.set(`key-${index}`, index);
    before.disconnect();
    await killAndRestart(bed.redis.primary);
    const after = new Redis(bed.redis.url);
    const kept = await after.mget(Array.from({ length: 1_000 }, (_, index) => `key-${index}`));
    expect(kept).toEqual(Array.from({ length: 1_000 }, (_, index) => String(index)));
    await after.quit();
  });

  test('Kafka still has its topics and messages after a kill', async ({ bed }) => {
    const kafka = new Kafka({ clientId: 'test', brokers: [...bed.kafka.brokers], logLevel: logLevel.NOTHING });
    const producer = kafka.producer({ idempotent: true });
    await producer.connect();
    await producer.send({ topic: 'kept', messages: [{ value: '42' }] });
    await producer.disconnect();
    await killAndRestart(bed.kafka.broker(1));
    const admin = kafka.admin();
    await admin.connect();
    expect(await admin.fetchTopicOffsets('kept')).toMatchObject([{ high: '1' }]);
    await admin.disconnect();
  });

  test('Consul still has its keys after a kill', async ({ bed }) => {
    await fetch(`${bed.consul.url}/v1/kv/cab`, { method: 'PUT', body: '42' });
    await killAndRestart(bed.consul.server(1));
    expect(await (await fetch(`${bed.consul.url}/v1/kv/cab?raw`)).text()).toBe('42');
  });

  test('Temporal still has a started workflow after a kill', async ({ bed }) => {
    const start = await Connection.connect({ address: bed.temporal.address });
    await start.workflowService.startWorkflowExecution({
      namespace: 'default',
      workflowId: 'ride-42',
      requestId: 'once',
      workflowType: { name: 'ride' },
      taskQueue: { name: 'nobody-listens' },
    });
    await start.close();
    await killAndRestart(bed.temporal.server);
    const look = await Connection.connect({ address: bed.temporal.address });
    const { workflowExecutionInfo } = await look.workflowService.describeWorkflowExecution({
      namespace: 'default',
      execution: { workflowId: 'ride-42' },
    });
    expect(workflowExecutionInfo?.type?.name).toBe('ride');
    await look.close();
  });

  test('S3 still has its objects after a kill', async ({ bed }) => {
    const { region, endpoint, credentials, bucket, server } = bed.s3.region('us-east-1');
    const s3 = new S3Client({ region, endpoint, credentials, forcePathStyle: true });
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'cab', Body: '42' }));
    await killAndRestart(server);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'cab' }));
    expect(await Body?.transformToString()).toBe('42');
  });

  test('DynamoDB still has its tables after a kill', async ({ bed }) => {
    const { url: endpoint, credentials, region } = bed.dynamodb;
    const dynamodb = new DynamoDBClient({ endpoint, credentials, region });
    await dynamodb.send(
      new CreateTableCommand({
        TableName: 'kept',
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      }),
    );
    await killAndRestart(bed.dynamodb.server);
    expect((await dynamodb.send(new ListTablesCommand({}))).TableNames).toContain('kept');
  });
}
