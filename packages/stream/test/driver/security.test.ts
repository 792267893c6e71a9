import { inspect } from 'node:util';
import { eventually } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { expect } from 'vitest';
import type { ConnectionSettings, Sasl } from '../../src/driver/settings.ts';
import { certificate } from './certificate.ts';
import { drivers, type OpenDriver } from './drivers.ts';
import { eachDriver } from './each-driver.ts';
import { batch, endless, errorOf, failure, offsetsOf, Stage, unique, warned, within } from './stage.ts';

const { key, cert } = await certificate();
const [secret, wrong] = ['correct-horse-battery', 'wrong-donkey-charger'];
const line = (pem: string): string => pem.trim().replaceAll('\n', '\\n');
const modules = 'org.apache.kafka.common.security';

/** Each of these clients has a listener of its own, which lets in nobody who has not logged in, or speaks no TLS. */
const config = {
  'listener.security.protocol.map':
    'PLAINTEXT:PLAINTEXT,PEERS:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_PLAINTEXT,TLS:SSL,BOTH:SASL_SSL',
  ...Object.fromEntries(
    ['sasl', 'both'].flatMap((listener) => [
      [`listener.name.${listener}.sasl.enabled.mechanisms`, 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER'],
      [
        `listener.name.${listener}.plain.sasl.jaas.config`,
        `${modules}.plain.PlainLoginModule required user_rider="${secret}" user_nobody="${secret}";`,
      ],
      [
        `listener.name.${listener}.oauthbearer.sasl.jaas.config`,
        `${modules}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
      ],
      ...['scram-sha-256', 'scram-sha-512'].map((mechanism) => [
        `listener.name.${listener}.${mechanism}.sasl.jaas.config`,
        `${modules}.scram.ScramLoginModule required;`,
      ]),
    ]),
  ),
  ...Object.fromEntries(
    ['tls', 'both'].flatMap((listener) => [
      [`listener.name.${listener}.ssl.keystore.type`, 'PEM'],
      [`listener.name.${listener}.ssl.keystore.certificate.chain`, line(cert)],
      [`listener.name.${listener}.ssl.keystore.key`, line(key)],
    ]),
  ),
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  // Whoever comes by the other listeners is nobody in particular.
  'super.users': 'User:ANONYMOUS;User:rider',
};

const test = bedTest({ kafka: { clients: ['sasl', 'tls', 'both'], config } });

/** Signed by nobody: a broker that is not told better takes it. */
function token(subject: string, lifetime = 600): string {
  const now = Math.floor(Date.now() / 1_000);
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ sub: subject, iat: now - 1, exp: now + lifetime })}.`;
}

const password = (mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512', given: string): Sasl => ({
  mechanism,
  username: 'rider',
  password: given,
});

const mechanisms = [
  ['PLAIN', password('plain', secret), password('plain', wrong)],
  ['SCRAM-SHA-256', password('scram-sha-256', secret), password('scram-sha-256', wrong)],
  ['SCRAM-SHA-512', password('scram-sha-512', secret), password('scram-sha-512', wrong)],
  [
    'OAUTHBEARER',
    { mechanism: 'oauthbearer', token: () => token('rider') },
    { mechanism: 'oauthbearer', token: async () => `${wrong}.${wrong}.` },
  ],
] as const satisfies (readonly [string, Sasl, Sasl])[];

/** How it fails to append. */
async function refused(open: OpenDriver, brokers: readonly string[], settings: Partial<ConnectionSettings>) {
  const impatient = { connectTimeout: 1_000, requestTimeout: 1_000, deliveryTimeout: 3_000 };
  await using stage = new Stage(open, brokers, { ...impatient, ...settings });
  const failed = await within(
    8_000,
    'it fails',
    failure(async () => {
      const appender = await stage.appender();
      throw errorOf(await appender.append([batch('t', 0, ['x'])]));
    }),
  );
  expect(failed?.happened).toBe('no');
  const shown = [failed?.stack, inspect(failed, { depth: 20, showHidden: true }), JSON.stringify(failed)].join('\n');
  for (const hidden of [secret, wrong, Buffer.from(`\0rider\0${wrong}`).toString('base64')])
    expect(shown).not.toContain(hidden);
  return failed;
}

eachDriver(drivers, 'at a broker that lets in nobody whom it does not know', (_name, open) => {
  test.for(mechanisms)('logs in by %s', async ([mechanism, sasl], { bed }) => {
    await using stage = new Stage(open, bed.kafka.brokers);
    const topic = await stage.topic();
    const digest = mechanism.startsWith('SCRAM') && (mechanism.endsWith('256') ? 'sha256' : 'sha512');
    if (digest) await stage.witness.addUser('rider', secret, digest);
    const driver = await stage.driver({ brokers: bed.kafka.brokersFor('sasl'), sasl });
    const appender = await driver.appender({ signal: endless });
    expect(offsetsOf(await appender.append([batch(topic, 0, ['x'])]))).toEqual([0n]);
    const member = await stage.member({ group: unique('g'), topics: [topic] }, driver);
    await eventually('it reads', () => member.values().length === 1);
  });

  test.for(mechanisms)(
    'says that it cannot log in by %s with what is wrong, and does not tell it',
    async ([, , sasl], { bed }) => {
      const failed = await refused(open, bed.kafka.brokersFor('sasl'), { sasl });
      expect(failed).toMatchObject({ code: 'authentication-failed', retryable: false });
    },
  );

  test('asks for a token anew for each connection', async ({ bed }) => {
    await using stage = new Stage(open, bed.kafka.brokers);
    const topic = await stage.topic();
    let asked = 0;
    const ask = async (): Promise<string> => {
      asked += 1;
      return token('rider');
    };
    const sasl = { mechanism: 'oauthbearer', token: ask } as const;
    const appender = await stage.appender({ brokers: bed.kafka.brokersFor('sasl'), sasl });
    offsetsOf(await appender.append([batch(topic, 0, ['x'])]));
    for (let round = 0; round < 2; round += 1) {
      const before = asked;
      expect(before).toBeGreaterThan(0);
      await bed.link('sasl', 'kafka-1').reset();
      offsetsOf(await appender.append([batch(topic, 0, ['x'])]));
      expect(asked).toBeGreaterThan(before);
    }
  });

  test('comes by another connection before its login ends, and loses nothing of what is under way', async ({ bed }) => {
    await using stage = new Stage(open, bed.kafka.brokers);
    const topic = await stage.topic();
    let asked = 0;
    const ask = (): string => {
      asked += 1;
      return token('rider', 2);
    };
    const sasl = { mechanism: 'oauthbearer', token: ask } as const;
    const driver = await stage.driver({ brokers: bed.kafka.brokersFor('sasl'), sasl });
    const appender = await driver.appender({ signal: endless });
    const member = await stage.member({ group: unique('g'), topics: [topic] }, driver);
    await eventually('it is a member', () => member.held.length === 1);
    const begun = asked;
    let appended = 0;
    await eventually(
      'many have logged in again',
      async () => {
        appended += offsetsOf(await appender.append([batch(topic, 0, ['x'])])).length;
        return asked >= begun + 6;
      },
      { within: 12_000, every: 5 },
    );
    await eventually('all is read', () => member.values().length === appended);
    expect(member.troubles).toEqual([]);
  });

  test('is let in once for each connection with a token that lives longer than a timer can wait', async ({ bed }) => {
    await using stage = new Stage(open, bed.kafka.brokers);
    const topic = await stage.topic();
    let asked = 0;
    const ask = (): string => {
      asked += 1;
      return token('rider', 60 * 24 * 60 * 60);
    };
    using warnings = warned();
    const sasl = { mechanism: 'oauthbearer', token: ask } as const;
    const appender = await stage.appender({ brokers: bed.kafka.brokersFor('sasl'), sasl });
    offsetsOf(await appender.append([batch(topic, 0, ['x'])]));
    const begun = asked;
    for (let more = 0; more < 20; more += 1) offsetsOf(await appender.append([batch(topic, 0, ['x'])]));
    expect(asked).toBe(begun);
    expect(warnings.of).toEqual([]);
  });

  test('says why there was no token', async ({ bed }) => {
    const sasl = {
      mechanism: 'oauthbearer',
      token: async () => {
        throw new Error('the token server is away');
      },
    } as const;
    const failed = await refused(open, bed.kafka.brokersFor('sasl'), { sasl });
    expect(inspect(failed, { depth: 20 })).toContain('the token server is away');
  });

  test('speaks TLS, with a password and without', async ({ bed }) => {
    await using stage = new Stage(open, bed.kafka.brokers);
    const topic = await stage.topic();
    const tls = { ca: cert };
    const brokers = bed.kafka.brokersFor('both');
    const appender = await stage.appender({ brokers, tls, sasl: password('plain', secret) });
    expect(offsetsOf(await appender.append([batch(topic, 0, ['x'])]))).toEqual([0n]);
    // Without a password it is nobody in particular.
    const driver = await stage.driver({ brokers: bed.kafka.brokersFor('tls'), tls });
    expect(await driver.admin.topics(endless)).toContain(topic);
  });

  const strangers = [
    ['whose certificate it does not know', {}],
    ['that is another machine', { ca: cert, checkServerIdentity: () => new Error('another machine') }],
  ] as const;

  test.for(strangers)('does not talk to a broker %s', async ([, tls], { bed }) => {
    const failed = await refused(open, bed.kafka.brokersFor('tls'), { tls });
    expect(failed).toMatchObject({ code: 'authentication-failed', retryable: false });
  });

  test('says that nothing was written where one speaks TLS and the other does not', async ({ bed }) => {
    // The broker's first word, where a frame would begin, is TLS.
    const failed = await refused(open, bed.kafka.brokersFor('tls'), {});
    expect(failed).toMatchObject({ code: 'authentication-failed', retryable: false });
    await refused(open, bed.kafka.brokers, { tls: { ca: cert } });
    await refused(open, bed.kafka.brokersFor('sasl'), {});
  });

  test('says what the user may not do', async ({ bed }) => {
    await using stage = new Stage(open, bed.kafka.brokers);
    const topic = await stage.topic();
    const sasl = { mechanism: 'plain', username: 'nobody', password: secret } as const;
    const driver = await stage.driver({ brokers: bed.kafka.brokersFor('sasl'), sasl, deliveryTimeout: 2_000 });
    const denied = { code: 'not-authorized', happened: 'no', retryable: false };
    const offsets = [{ topic, partition: 0, offset: 1n }];
    const shape = { partitions: 1, replication: 1, settings: {} };
    const tried: [string, () => Promise<unknown>][] = [
      [
        'append',
        async () => {
          const appender = await driver.appender({ signal: endless });
          throw errorOf(await appender.append([batch(topic, 0, ['x'])]));
        },
      ],
      ['transactor', () => driver.transactor('id', { timeout: 60_000, signal: endless })],
      ['create', () => driver.admin.createTopic(unique('t'), shape, endless)],
      ['delete', () => driver.admin.deleteTopic(topic, endless)],
      ['offsets', () => driver.admin.offsets(topic, 'latest', endless)],
      ['describe', () => driver.admin.describeTopic(topic, ['retention.ms'], endless)],
      ['describe the group', () => driver.admin.describeGroup('g', endless)],
      ['committed', () => driver.admin.committed('g', [topic], endless)],
      ['commit', () => driver.admin.commit('g', offsets, endless)],
      ['delete the group', () => driver.admin.deleteGroup('g', endless)],
    ];
    for (const [what, action] of tried) expect(await within(5_000, what, failure(action)), what).toMatchObject(denied);
    expect(await driver.admin.topics(endless)).not.toContain(topic);
    expect(await stage.witness.end(topic)).toBe(0n);
  });
});

// Cut in the answer to the handshake, in those after it, and between: all drivers come by the same link.
const breaks = drivers.flatMap(([name, open]) =>
  [1, 20, 50, 80, 110, 480].map((after) => [name, after, open] as const),
);

test.for(breaks)(
  '%s takes no connection that breaks after %i bytes for a login that is refused',
  async ([, afterBytes, open], { bed }) => {
    await using stage = new Stage(open, bed.kafka.brokers, { connectTimeout: 1_000, requestTimeout: 1_000 });
    const topic = await stage.topic();
    const link = bed.link('sasl', 'kafka-1');
    const settings = { brokers: bed.kafka.brokersFor('sasl'), sasl: password('plain', secret) };
    const driver = await stage.driver(settings);
    await link.set({ cut: { from: 'kafka-1', afterBytes } });
    const failed = await failure(() => driver.appender({ signal: endless }));
    await link.heal();
    expect(failed).toMatchObject({ code: 'kafka-unreachable', happened: 'no', retryable: true });
    const appender = await driver.appender({ signal: endless });
    expect(offsetsOf(await appender.append([batch(topic, 0, ['x'])]))).toEqual([0n]);
  },
);
