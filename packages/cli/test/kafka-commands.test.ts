import { randomBytes } from 'node:crypto';
import { Stream } from '@quorate/stream';
import { eventually } from '@quorate/testbed';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { expect } from 'vitest';
import { call, inOwnFolder } from './quorate.ts';

inOwnFolder();

test('topics, groups and dead letters are shown, and dead letters are sent again', async ({
  servers: { QUORATE_KAFKA },
}) => {
  await using stream = new Stream({ brokers: QUORATE_KAFKA ?? '', clientId: 'meter' });
  const name = `cli-${randomBytes(4).toString('hex')}`;
  const rides = stream.topic(name, { partitions: 2 });
  await rides.create();
  let mended = false;
  await using consumer = await rides.consume({
    group: `${name}-billing`,
    retry: { attempts: 1 },
    handler: ({ value }) => {
      if (value === 1 && !mended) throw new Error('no\u001b[31m such\ntable');
    },
  });
  for (const value of [1, 2, 3]) await rides.publish({ key: 'cab-1', value });
  await eventually('two are handled and one is dead', () => {
    const { handled, deadLetters } = consumer.stats();
    return handled === 2 && deadLetters === 1;
  });
  const env = { QUORATE_KAFKA: QUORATE_KAFKA ?? '' };

  const topics = await call(['inspect', 'topics'], env);
  expect(topics.status).toBe(0);
  expect(topics.out).toMatch(new RegExp(`^${name} +2 +3$`, 'm'));
  expect(topics.out).toMatch(new RegExp(`^${name}.dead +2 +1$`, 'm'));
  const one = await call(['inspect', 'topics', name, '--kafka', QUORATE_KAFKA ?? ''], {});
  expect(one.out).toMatch(/^PARTITION +LEADER +BEGIN +END$/m);
  const dead = await call(['inspect', 'topics', name, '--dead'], env);
  expect(dead.out).toContain('failed');
  // What anybody may have written is no command to the terminal.
  expect(dead.out).toContain('Error: no\\u{1b}[31m such\\u{a}table');
  const letters = JSON.parse((await call(['inspect', 'topics', name, '--dead', '--json'], env)).out);
  expect(letters).toEqual([expect.objectContaining({ reason: 'failed', group: `${name}-billing`, offset: '0' })]);

  await eventually('all is committed', async () => {
    const [group] = JSON.parse((await call(['inspect', 'groups', `${name}-billing`, '--json'], env)).out);
    return group.partitions.every(({ lag }: { readonly lag: string }) => lag === '0');
  });
  const groups = await call(['inspect', 'groups'], env);
  expect(groups.out).toMatch(new RegExp(`^${name}-billing +Stable +${name} 0 .* meter at `, 'm'));

  mended = true;
  expect(await call(['stream', 'replay', `${name}.dead`], env)).toMatchObject({
    status: 0,
    out: `1 message was sent to ${name} again.\n`,
  });
  expect((await call(['stream', 'replay', `${name}.dead`, '--json'], env)).out).toBe(`{"topic":"${name}","sent":0}\n`);
  await eventually('it is handled', () => consumer.stats().handled === 3);
});

test.for<[args: string[], message: string, status: number]>([
  [['inspect', 'topics'], 'kafka: expected an address: --kafka kafka-1:9092, or QUORATE_KAFKA', 2],
  [['inspect', 'topics', '--dead', '--kafka', '127.0.0.1:1'], "option '--dead' needs a topic", 2],
  [['inspect', 'groups', '--kafka', 'nonsense'], 'brokers: expected addresses', 2],
  [['stream', 'replay', 'taxi.rides', '--kafka', '127.0.0.1:1'], 'its name ends in ".dead"', 2],
  [['stream', 'replay'], "missing required argument 'topic'", 2],
])('bad use is explained: %s', async ([args, message, status]) => {
  const result = await call(args, {});
  expect(result.err).toContain(message);
  expect(result).toMatchObject({ status, out: '' });
});

test.for(['topic', 'group'])(
  'a %s that is not there is an error, and not bad use',
  async (kind, { servers: { QUORATE_KAFKA } }) => {
    const result = await call(['inspect', `${kind}s`, 'nowhere'], { QUORATE_KAFKA: QUORATE_KAFKA ?? '' });
    expect(result).toMatchObject({ status: 1, out: '' });
    expect(result.err).toContain(`there is no ${kind} "nowhere"`);
  },
);

test('what moves the cursor is not printed in an error either', async ({ servers: { QUORATE_KAFKA } }) => {
  const result = await call(['inspect', 'groups', 'a\u001b[31m'], { QUORATE_KAFKA: QUORATE_KAFKA ?? '' });
  expect(result.status).toBe(1);
  expect(result.err).toContain('there is no group "a\\u{1b}[31m"');
  expect(result.err).not.toContain('\u001b');
});

test('a way to log in that the command has not is refused by the name of its variable', async () => {
  const env = { QUORATE_KAFKA: '127.0.0.1:1', QUORATE_KAFKA_USERNAME: 'ada', QUORATE_KAFKA_MECHANISM: 'oauthbearer' };
  const result = await call(['inspect', 'topics'], env);
  expect(result.status).toBe(2);
  expect(result.err).toContain('QUORATE_KAFKA_MECHANISM: expected plain, scram-sha-256, scram-sha-512');
});
