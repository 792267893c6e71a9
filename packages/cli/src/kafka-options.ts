import { InvalidArgumentError } from '@quorate/core';
import { Stream, type StreamOptions } from '@quorate/stream';
import type { Command } from 'commander';
import type { Shell } from './shell.ts';

/** Where the brokers are. */
export interface KafkaFlags {
  readonly kafka?: string;
  readonly tls?: true;
}

export const kafkaHelp = `
The brokers are at --kafka, or QUORATE_KAFKA. Where Kafka asks for a user, QUORATE_KAFKA_USERNAME and
QUORATE_KAFKA_PASSWORD say who it is, and QUORATE_KAFKA_MECHANISM how (plain, scram-sha-256, scram-sha-512); there are no
options for these, since other users of the machine could read them.`;

export function addKafkaOptions(command: Command): Command {
  return command
    .option('--kafka <brokers>', 'such as kafka-1:9092,kafka-2:9092 (default: QUORATE_KAFKA)')
    .option('--tls', 'connect with TLS');
}

const mechanisms: readonly string[] = ['plain', 'scram-sha-256', 'scram-sha-512'];

export function streamOf({ kafka, tls }: KafkaFlags, env: Shell['env']): Stream {
  const brokers = kafka ?? env.QUORATE_KAFKA;
  if (!brokers) {
    throw new InvalidArgumentError(
      'kafka',
      'an address: --kafka kafka-1:9092, or QUORATE_KAFKA, which eval "$(quorate status --export)" sets',
    );
  }
  const { QUORATE_KAFKA_USERNAME: username, QUORATE_KAFKA_PASSWORD: password = '' } = env;
  const { QUORATE_KAFKA_MECHANISM: mechanism = 'scram-sha-512' } = env;
  if (!mechanisms.includes(mechanism))
    throw new InvalidArgumentError('QUORATE_KAFKA_MECHANISM', mechanisms.join(', '), mechanism);
  const sasl = username === undefined ? {} : { sasl: { mechanism, username, password } as StreamOptions['sasl'] };
  return new Stream({ brokers, clientId: 'quorate-cli', ...(tls && { tls: true }), ...sasl } as StreamOptions);
}
