import { eventually } from '@quorate/testbed';
import { expect, test } from 'vitest';
import type { Wire, WireMaker, WireOptions, WireRequest } from '../wire.ts';
import { Connections } from './connections.ts';
import { apiVersions } from './protocol/api-versions.ts';
import { heartbeat } from './protocol/group-membership.ts';
import { Writer } from './protocol/writer.ts';

const settings = {
  brokers: ['127.0.0.1:1'],
  clientId: 'test',
  tls: undefined,
  sasl: undefined,
  connectTimeout: 200,
  requestTimeout: 60,
  deliveryTimeout: 500,
};

const address = { host: '127.0.0.1', port: 1 };
const endless = new AbortController().signal;
const ask = { groupId: 'g', generationId: 1, memberId: 'm' };

/** What a broker of this version answers when it is asked for its versions. */
function spoken(key: number, version: number): Buffer {
  const writer = new Writer().int16(0);
  writer.compactArray([key], () => writer.int16(key).int16(0).int16(version).noTags());
  return writer.int32(0).noTags().finish();
}

const well = new Writer().noTags().int32(0).int16(0).noTags().finish();

/** A library whose brokers do as they are told with all that they are asked but their versions. */
class Fake implements WireMaker {
  /** What comes of it when it is asked for its versions. */
  versions = async (): Promise<Buffer> => spoken(heartbeat.key, this.speaks);
  connects = 0;
  closed = 0;
  options: WireOptions | undefined;
  speaks = heartbeat.version;
  lifetime: number | undefined;
  readonly answer: (request: WireRequest) => Promise<Buffer>;

  constructor(answer: (request: WireRequest) => Promise<Buffer>) {
    this.answer = answer;
  }

  async connect(_address: unknown, _settings: unknown, options: WireOptions): Promise<Wire> {
    this.connects += 1;
    this.options = options;
    const send = (request: WireRequest): Promise<Buffer> =>
      request.key === apiVersions.key ? this.versions() : this.answer(request);
    const close = (): void => {
      this.closed += 1;
    };
    return { lifetime: this.lifetime, send, close };
  }

  refusedLogin(): undefined {}

  plain(error: unknown): Error | undefined {
    return error instanceof Error ? error : undefined;
  }
}

const hanging = (): Promise<Buffer> => new Promise(() => {});
const asked = (connections: Connections, signal = endless) =>
  connections.ask(address, heartbeat, ask, { what: 'beat', signal });

test('several requests at once share one connection, and the next one has another when that has ended', async () => {
  const fake = new Fake(async () => well);
  const connections = new Connections(fake, settings);
  expect(await Promise.all([asked(connections), asked(connections)])).toEqual([{ errorCode: 0 }, { errorCode: 0 }]);
  expect(fake.connects).toBe(1);
  fake.options?.onClosed();
  await asked(connections);
  expect(fake.connects).toBe(2);
  connections.close();
  expect(fake.closed).toBeGreaterThan(0);
});

test('an answer that does not come in time fails, and so does all else on that connection', async () => {
  const fake = new Fake(hanging);
  const connections = new Connections(fake, settings);
  const late = { failure: { code: 'kafka-unreachable', cause: { message: 'no answer in time' } } };
  const both = [asked(connections), asked(connections)];
  for (const one of both) await expect(one).rejects.toMatchObject(late);
  expect(fake.closed).toBeGreaterThan(0);
  connections.close();
});

test('whoever waits hears at once that the connections are closed, or that theirs has ended', async () => {
  for (const end of [(_: Fake, all: Connections) => all.close(), (fake: Fake) => fake.options?.onClosed()]) {
    const fake = new Fake(hanging);
    const connections = new Connections(fake, { ...settings, requestTimeout: 60_000 });
    const failed = asked(connections).catch((error: unknown) => error);
    await eventually('it is asked', () => fake.options);
    await new Promise((resolve) => setImmediate(resolve));
    end(fake, connections);
    expect(await failed).toMatchObject({ failure: { code: 'kafka-unreachable' } });
    connections.close();
  }
});

test('when a login ends soon the next request has another connection, and the old one is closed once it has answered', async () => {
  const gate = Promise.withResolvers<Buffer>();
  const fake = new Fake(() => (fake.connects === 1 ? gate.promise : Promise.resolve(well)));
  fake.lifetime = 50;
  const connections = new Connections(fake, { ...settings, requestTimeout: 60_000 });
  const slow = asked(connections);
  await eventually('it is there', () => fake.connects === 1);
  fake.lifetime = undefined;
  const more: Promise<unknown>[] = [slow];
  await eventually('another is there', () => {
    more.push(asked(connections));
    return fake.connects === 2;
  });
  expect(await more.at(-1)).toEqual({ errorCode: 0 });
  expect(fake.closed).toBe(0);
  gate.resolve(well);
  for (const one of more) expect(await one).toEqual({ errorCode: 0 });
  await eventually('the old one is closed', () => fake.closed === 1);
  expect(await asked(connections)).toEqual({ errorCode: 0 });
  expect(fake.connects).toBe(2);
  connections.close();
});

test('who waits on a connection whose login ends soon hears at once that all are closed', async () => {
  const fake = new Fake(hanging);
  fake.lifetime = 10;
  const connections = new Connections(fake, { ...settings, requestTimeout: 60_000 });
  const waiting = [asked(connections).catch((error: unknown) => error)];
  await eventually('another is there', () => {
    waiting.push(asked(connections).catch((error: unknown) => error));
    return fake.connects === 2;
  });
  connections.close();
  for (const one of waiting) expect(await one).toBeInstanceOf(Error);
  await eventually('all are closed', () => fake.closed >= 2);
});

test('an answer that cannot be read is no answer, and its connection is given up', async () => {
  const fake = new Fake(async () => Buffer.from([0, 1]));
  const connections = new Connections(fake, settings);
  const unreadable = { failure: { code: 'kafka-unreachable', cause: { name: 'MalformedAnswerError' } } };
  await expect(asked(connections)).rejects.toMatchObject(unreadable);
  expect(fake.closed).toBe(1);
  connections.close();
});

test('a connection on which the broker does not say what it speaks is given up, and the next request has another one', async () => {
  const fake = new Fake(async () => well);
  const { versions } = fake;
  fake.versions = () => Promise.reject(new Error('broken'));
  const connections = new Connections(fake, settings);
  const broken = { failure: { code: 'kafka-unreachable', cause: { message: 'broken' } } };
  await expect(asked(connections)).rejects.toMatchObject(broken);
  expect([fake.connects, fake.closed]).toEqual([1, 1]);
  fake.versions = versions;
  expect(await asked(connections)).toEqual({ errorCode: 0 });
  expect(fake.connects).toBe(2);
  connections.close();
});

test('a broker that is too old is not asked at all', async () => {
  let requests = 0;
  const fake = new Fake(async () => {
    requests += 1;
    return well;
  });
  fake.speaks = heartbeat.version - 1;
  const connections = new Connections(fake, settings);
  await expect(asked(connections)).rejects.toMatchObject({ code: 'refused', reason: 'UNSUPPORTED_VERSION' });
  expect(requests).toBe(0);
  connections.close();
});

test('a connection that is not there in time is not waited for', async () => {
  const gate = Promise.withResolvers<void>();
  const fake = new Fake(hanging);
  const connect = fake.connect.bind(fake);
  fake.connect = async (...args) => {
    await gate.promise;
    return connect(...args);
  };
  const connections = new Connections(fake, { ...settings, connectTimeout: 40 });
  const late = { failure: { cause: { message: 'no connection in time' } } };
  await expect(asked(connections)).rejects.toMatchObject(late);
  connections.close();
  await expect(asked(connections)).rejects.toMatchObject({ code: 'stream-closed' });
});
