import { sharedTest } from '@quorate/testbed/vitest';
import { expect } from 'vitest';
import { Stream } from '../src/index.ts';

sharedTest('options that make no sense are refused, and secrets are not shown', async () => {
  const refused = (options: object): string => {
    try {
      new Stream({ brokers: '127.0.0.1:9092', ...options } as never);
      return 'accepted';
    } catch (error) {
      return (error as Error).message;
    }
  };
  const table: [object, string][] = [
    [{ brokers: '' }, 'brokers'],
    [{ brokers: 'kafka' }, 'brokers'],
    [{ brokers: ['a:1', 'b'] }, 'brokers'],
    [{ broker: 'a:1' }, 'broker'],
    [{ driver: 'rdkafka' }, 'driver'],
    [{ clientId: 'a b' }, 'clientId'],
    [{ tls: 'yes' }, 'tls'],
    [{ sasl: { mechanism: 'plain', username: 'a' } }, 'sasl.password'],
    [{ sasl: { mechanism: 'magic', username: 'a', password: 'hunter2' } }, 'sasl.mechanism'],
    [{ sasl: { mechanism: 'oauthbearer' } }, 'sasl.token'],
    [{ maxMessageBytes: 0 }, 'maxMessageBytes'],
    [{ linger: '2m' }, 'linger'],
    [{ deliveryTimeout: 1 }, 'deliveryTimeout'],
    [{ tracing: {} }, 'tracing'],
  ];
  for (const [options, name] of table) {
    const message = refused(options);
    expect(message, JSON.stringify(options)).toContain(name);
    expect(message).not.toContain('hunter2');
  }
  const stream = new Stream({ brokers: '127.0.0.1:9092' });
  expect(() => stream.topic('a b')).toThrow('name');
  expect(() => stream.topic('a', { partitions: 0 })).toThrow('partitions');
  expect(() => stream.topic('a', { value: {} as never })).toThrow('value');
  expect(() => stream.topic('a', { retention: 'long' as never })).toThrow('retention');
  for (const brokers of ['a:0', 'a:65536', 'a:99999', '[::1]:0'])
    expect(refused({ brokers }), brokers).toContain('brokers');
  expect(() => stream.topic('a', { settings: null as never })).toThrow('settings');
  await stream.stop();
});

/** Nobody listens there: whatever is refused is refused before. */
const nobody = { brokers: '127.0.0.1:1', connectTimeout: '30s' } as const;

sharedTest('what is wrong is refused by name, before anybody is asked', async () => {
  await using stream = new Stream(nobody);
  const topic = stream.topic('t');
  const inspection = stream.inspection();
  const handler = (): void => {};
  const wrong: Record<string, () => unknown> = {
    handler: () => stream.responder('t', { group: 'g', handler: 5 as never }),
    group: () => stream.responder('t', { group: '', handler }),
    concurrency: () => stream.responder('t', { group: 'g', handler, concurrency: 0 }),
    'options.timout': () => topic.publish({ value: 1 }, { timout: 5 } as never),
    'options.signal': () => topic.publishMany([{ value: 1 }], { signal: null } as never).catch(renamed),
    'options.timeuot': () => stream.requester('t').request(1, { timeuot: 5 } as never),
    options: () => topic.publish({ value: 1 }, null as never),
    topic: () => inspection.redeliver(5 as never),
    'topic:': () => inspection.topics({ topic: '' }),
    'group:': () => inspection.groups({ group: {} as never }),
    'topic: ': () => inspection.deadLetters(undefined as never),
    limit: () => inspection.deadLetters('t', { limit: Number.NaN }),
    'group: ': () => inspection.rewind(7 as never, 't', 'earliest'),
  };
  const signals: Record<string, (signal: never) => unknown> = {
    publish: (signal) => topic.publish({ value: 1 }, { signal }),
    request: (signal) => stream.requester('t').request(1, { signal }),
    create: (signal) => topic.create({ signal }),
    consume: (signal) => topic.consume({ group: 'g', handler, signal }),
    read: (signal) => topic.read({ signal }).next(),
    responder: (signal) => stream.responder('t', { group: 'g', handler, signal }),
    topics: (signal) => inspection.topics({ signal }),
    redeliver: (signal) => inspection.redeliver('t', { signal }),
  };
  const renamed = (error: Error): never => {
    throw new Error(`options.${error.message}`);
  };
  for (const [name, call] of Object.entries(wrong))
    await expect((async () => await call())(), name).rejects.toThrow(name.trim());
  for (const [name, call] of Object.entries(signals))
    for (const signal of [null, 0, 'stop', {}])
      await expect((async () => await call(signal as never))(), name).rejects.toThrow(
        'signal: expected an AbortSignal',
      );
});
