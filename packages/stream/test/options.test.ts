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
  await stream.stop();
});
