import { InvalidArgumentError as BadUse } from '@quorate/core';
import { redisCounts, type TestbedOptions } from '@quorate/testbed';
import { type Command, InvalidArgumentError, Option } from 'commander';

/** What the options of a command say about servers. */
export interface ServerFlags {
  readonly zookeeper?: number;
  readonly redis?: number;
  readonly kafka?: number;
  readonly consul?: number;
  readonly envoy?: true;
  readonly temporal?: true;
  readonly s3?: string[];
  readonly dynamodb?: true;
  readonly postgres?: true;
  readonly mongodb?: true;
  readonly prometheus?: true;
  readonly spark?: true;
  readonly disk?: number;
  readonly offline?: true;
}

/** A number out of those allowed: anything else is refused before anything is touched. */
function oneOf(...allowed: number[]): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (!allowed.includes(number))
      throw new InvalidArgumentError(`Expected ${allowed.join(', ').replace(/, (\d+)$/, ' or $1')}.`);
    return number;
  };
}

function megabytes(text: string): number {
  const number = Number(text);
  if (!(Number.isInteger(number) && number >= 1 && number <= 65_536))
    throw new InvalidArgumentError('Expected a whole number from 1 to 65536.');
  return number;
}

export function addServerOptions(command: Command): Command {
  return command
    .addOption(new Option('--zookeeper <members>', 'a ZooKeeper ensemble of 1, 3 or 5').argParser(oneOf(1, 3, 5)))
    .addOption(
      new Option('--redis <servers>', 'a Redis primary, and replicas for the rest').argParser(oneOf(...redisCounts)),
    )
    .addOption(new Option('--kafka <brokers>', 'a Kafka cluster of 1 or 3').argParser(oneOf(1, 3)))
    .addOption(new Option('--consul <servers>', 'Consul, 1 or 3 servers').argParser(oneOf(1, 3)))
    .option('--envoy', 'an Envoy')
    .option('--temporal', 'Temporal with its UI')
    .addOption(
      new Option('--s3 <regions>', 'an S3 gateway for each region: us-east-1,eu-west-1').argParser((text) =>
        text.split(','),
      ),
    )
    .option('--dynamodb', 'DynamoDB Local')
    .option('--postgres', 'PostgreSQL')
    .option('--mongodb', 'MongoDB, or FerretDB where PATH has no mongod')
    .option('--prometheus', 'Prometheus')
    .option('--spark', 'Spark Connect (a download of 290 MB, once)')
    .addOption(
      new Option(
        '--disk <megabytes>',
        'a disk of its own for each server, for quorate fault full-disk (Linux)',
      ).argParser(megabytes),
    )
    .option('--offline', 'never fetch a program that is missing');
}

export function bedOptions({ offline: _, disk: __, ...servers }: ServerFlags): TestbedOptions {
  if (Object.keys(servers).length === 0) {
    throw new BadUse(
      'servers',
      'at least one of --zookeeper, --redis, --kafka, --consul, --envoy, --temporal, --s3, --dynamodb, --postgres, --mongodb, --prometheus, --spark',
    );
  }
  return servers as TestbedOptions;
}
