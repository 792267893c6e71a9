import { Redis } from 'ioredis';
import { describe, expect } from 'vitest';
import { bedTest, sharedTest } from '../src/vitest.ts';

const test = bedTest({ redis: 1 });
let firstBed: unknown;

describe('the fixture of a file', () => {
  test('gives a bed that is typed by what was asked for', async ({ bed }) => {
    firstBed = bed;
    expect(await bed.redis.primary.health()).toEqual({ status: 'pass' });
    // @ts-expect-error no Kafka was asked for, so the type has none
    expect(bed.kafka).toBeUndefined();
  });

  test('is the same bed in each test of the file', async ({ bed }) => {
    expect(bed).toBe(firstBed);
  });
});

describe('the bed of the run', () => {
  sharedTest('is there for tests that only read', async ({ servers }) => {
    const redis = new Redis(servers.QUORATE_REDIS ?? '');
    expect(await redis.ping()).toBe('PONG');
    await redis.quit();
  });
});
