import { expect, test } from 'vitest';
import { parseOptions, type TestbedOptions } from './options.ts';

const parse = (options: unknown): unknown => parseOptions(options as TestbedOptions);

test('short forms stand for options', () => {
  expect(
    parse({
      zookeeper: 3,
      redis: 2,
      envoy: true,
      temporal: 1,
      s3: ['us-east-1'],
      kafka: undefined,
      consul: 0,
      dynamodb: false,
    }),
  ).toEqual({
    zookeeper: { members: 3 },
    redis: { servers: 2 },
    envoy: {},
    temporal: {},
    s3: { regions: ['us-east-1'] },
  });
});

test('a bed may begin with no server', () => {
  expect(parse({})).toEqual({});
});

test('options are taken as they are', () => {
  const options = {
    zookeeper: { members: 5, version: '3.5.10', port: 2_181, config: { tickTime: 2_000 }, jvm: ['-Xmx1g'] },
  };
  expect(parse(options)).toEqual(options);
});

test.each([
  [{ zookeper: 3 }, /^options: expected one of the servers zookeeper, redis, .*, got 'zookeper'$/],
  [{ zookeeper: 2 }, 'zookeeper: expected 1 or 3 or 5, got 2'],
  [{ zookeeper: '3' }, "zookeeper: expected 1, 3 or 5 members, or options, got '3'"],
  [
    { zookeeper: { member: 3 } },
    "zookeeper: expected one of the options members, spares, version, port, links, config, jvm, got 'member'",
  ],
  [{ zookeeper: { members: 4 } }, 'zookeeper.members: expected 1 or 3 or 5, got 4'],
  [{ zookeeper: { version: '3.4.14' } }, "zookeeper.version: expected '3.5.10' or '3.9.5', got '3.4.14'"],
  [{ zookeeper: { spares: 1 } }, 'zookeeper.spares: expected 0, unless there are 3 or 5 members, got 1'],
  [{ redis: { port: 70_000 } }, 'redis.port: expected a port from 1 to 65500, got 70000'],
  [{ redis: { port: Number.NaN } }, 'redis.port: expected a port'],
  [{ redis: { config: { requirePass: 'x' } } }, 'redis.config: expected settings without requirepass and masterauth'],
  [{ kafka: { config: 'x' } }, "kafka.config: expected an object of settings, got 'x'"],
  [{ kafka: { clients: 'shop' } }, 'kafka.clients: expected different names of clients such as "shop"'],
  [{ kafka: { clients: ['shop', 'Shop'] } }, 'kafka.clients: expected different names of clients such as "shop"'],
  [{ kafka: { clients: ['peers'] } }, 'kafka.clients: expected different names of clients such as "shop"'],
  [{ kafka: { clients: ['redis-1'] } }, 'kafka.clients: expected different names of clients such as "shop"'],
  [{ kafka: { clients: ['a shop'] } }, 'kafka.clients: expected different names of clients such as "shop"'],
  [{ kafka: { jvm: [1] } }, 'kafka.jvm: expected a list of strings'],
  [{ s3: [] }, 's3: expected different region names'],
  [{ s3: ['us-east-1', 'us-east-1'] }, 's3: expected different region names'],
  [{ s3: ['../up'] }, 's3: expected different region names'],
  [{ s3: {} }, 's3.regions: expected different region names'],
  [{ s3: 'us-east-1' }, "s3: expected a list of regions, or options, got 'us-east-1'"],
  [{ s3: { regions: ['us-east-1'], events: '127.0.0.1:80' } }, 's3.events: expected a URL such as'],
  [{ prometheus: { scrape: ['http://127.0.0.1'] } }, 'prometheus.scrape: expected a list of addresses'],
  [{ postgres: 'yes' }, "postgres: expected true or options, got 'yes'"],
  [{ mongodb: { config: {} } }, "mongodb: expected one of the options port, got 'config'"],
  [{ consul: { clients: 9 } }, 'consul.clients: expected 0 or 1 or 2 or 3 or 4 or 5, got 9'],
  [{ consul: { addresses: 'mine' } }, "consul.addresses: expected 'shared' or 'own', got 'mine'"],
  [{ envoy: 'yes' }, "envoy: expected true or options, got 'yes'"],
  [null, 'options: expected an object of settings, got null'],
])('%j is refused by name', (options, message) => {
  expect(() => parse(options)).toThrow(message);
  expect(() => parse(options)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
});

test('ports of regions past the last port are refused by name', () => {
  const regions = Array.from({ length: 50 }, (_, index) => `r-${index}`);
  const message = 's3.port: expected a port from 1 to 65486, because each region has one, got 65490';
  expect(() => parse({ s3: { regions, port: 65_490 } })).toThrow(message);
  expect(parse({ s3: { regions, port: 65_486 } })).toEqual({ s3: { regions, port: 65_486 } });
});
