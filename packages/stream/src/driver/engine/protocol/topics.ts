import type { Reader } from './reader.ts';
import type { Request } from './request.ts';

export interface CreateTopicsAsk {
  readonly topics: readonly {
    readonly name: string;
    readonly numPartitions: number;
    readonly replicationFactor: number;
    readonly configs: readonly { readonly name: string; readonly value: string | null }[];
  }[];
  readonly timeoutMs: number;
}

export interface CreateTopicsAnswer {
  readonly topics: readonly { readonly name: string; readonly errorCode: number }[];
}

export interface CreatePartitionsAsk {
  readonly topics: readonly {
    readonly name: string;
    /** How many there are to be in all. */
    readonly count: number;
  }[];
  readonly timeoutMs: number;
}

export interface CreatePartitionsAnswer {
  readonly results: readonly { readonly name: string; readonly errorCode: number }[];
}

export interface DeleteTopicsAsk {
  readonly topicNames: readonly string[];
  readonly timeoutMs: number;
}

export interface DeleteTopicsAnswer {
  readonly responses: readonly {
    /** Empty when the broker does not say. */
    readonly name: string;
    readonly errorCode: number;
  }[];
}

export interface DescribeConfigsAsk {
  readonly resources: readonly {
    /** A topic: 2. */
    readonly resourceType: number;
    readonly resourceName: string;
    /** Null: all. */
    readonly configurationKeys: readonly string[] | null;
  }[];
}

export interface DescribeConfigsAnswer {
  readonly results: readonly {
    readonly errorCode: number;
    readonly resourceType: number;
    readonly resourceName: string;
    /** A value that is a secret is null. */
    readonly configs: readonly { readonly name: string; readonly value: string | null }[];
  }[];
}

/** The type of resource of a topic. */
export const topicResource = 2;

const tagged = { request: true, answer: true } as const;

export const createTopics: Request<CreateTopicsAsk, CreateTopicsAnswer> = {
  name: 'CreateTopics',
  key: 19,
  version: 7,
  tagged,
  write(writer, { topics, timeoutMs }) {
    writer
      .compactArray(topics, (_, { name, numPartitions, replicationFactor, configs }) =>
        writer
          .compactString(name)
          .int32(numPartitions)
          .int16(replicationFactor)
          .compactArray([], () => {}) // where its partitions are is the brokers' to decide
          .compactArray(configs, (_, { name, value }) => writer.compactString(name).compactString(value).noTags())
          .noTags(),
      )
      .int32(timeoutMs)
      .boolean(false) // not only to see whether it could be
      .noTags();
  },
  read(reader) {
    reader.skip(4 /* how long the client is to wait */);
    return { topics: reader.compactArray(createdTopic) };
  },
};

export const createPartitions: Request<CreatePartitionsAsk, CreatePartitionsAnswer> = {
  name: 'CreatePartitions',
  key: 37,
  version: 3,
  tagged,
  write(writer, { topics, timeoutMs }) {
    writer
      .compactArray(topics, (_, { name, count }) =>
        writer
          .compactString(name)
          .int32(count)
          .compactArray(null, () => {}) // where they are is the brokers' to decide
          .noTags(),
      )
      .int32(timeoutMs)
      .boolean(false) // not only to see whether they could be
      .noTags();
  },
  read(reader) {
    reader.skip(4 /* how long the client is to wait */);
    const results = reader.compactArray(() => {
      const name = reader.compactString();
      const errorCode = reader.int16();
      reader.compactNullableString(); // the error in words
      reader.skipTags();
      return { name, errorCode };
    });
    return { results };
  },
};

export const deleteTopics: Request<DeleteTopicsAsk, DeleteTopicsAnswer> = {
  name: 'DeleteTopics',
  key: 20,
  version: 6,
  tagged,
  write(writer, { topicNames, timeoutMs }) {
    writer
      .compactArray(topicNames, (_, name) => writer.compactString(name).uuid(null).noTags())
      .int32(timeoutMs)
      .noTags();
  },
  read(reader) {
    reader.skip(4 /* how long the client is to wait */);
    const responses = reader.compactArray(() => {
      const name = reader.compactNullableString() ?? '';
      reader.skip(16 /* its id */);
      const errorCode = reader.int16();
      reader.compactNullableString(); // the error in words
      reader.skipTags();
      return { name, errorCode };
    });
    return { responses };
  },
};

export const describeConfigs: Request<DescribeConfigsAsk, DescribeConfigsAnswer> = {
  name: 'DescribeConfigs',
  key: 32,
  version: 4,
  tagged,
  write(writer, { resources }) {
    writer
      .compactArray(resources, (_, { resourceType, resourceName, configurationKeys }) =>
        writer
          .int8(resourceType)
          .compactString(resourceName)
          .compactArray(configurationKeys, (_, key) => writer.compactString(key))
          .noTags(),
      )
      // Neither where else it could be set, nor what it means.
      .boolean(false)
      .boolean(false)
      .noTags();
  },
  read(reader) {
    reader.skip(4 /* how long the client is to wait */);
    const results = reader.compactArray(() => {
      const errorCode = reader.int16();
      reader.compactNullableString(); // the error in words
      const resourceType = reader.int8();
      const resourceName = reader.compactString();
      const configs = reader.compactArray(describedConfig);
      reader.skipTags();
      return { errorCode, resourceType, resourceName, configs };
    });
    return { results };
  },
};

function createdTopic(reader: Reader): CreateTopicsAnswer['topics'][number] {
  const name = reader.compactString();
  reader.skip(16 /* its id */);
  const errorCode = reader.int16();
  reader.compactNullableString(); // the error in words
  reader.skip(4 /* how many partitions */ + 2 /* how many replicas */);
  reader.compactNullableArray(createdConfig);
  reader.skipTags();
  return { name, errorCode };
}

function createdConfig(reader: Reader): void {
  reader.compactString();
  reader.compactNullableString(); // its value
  reader.skip(1 /* whether it is fixed */ + 1 /* where it is set */ + 1 /* whether it is a secret */);
  reader.skipTags();
}

function describedConfig(reader: Reader): DescribeConfigsAnswer['results'][number]['configs'][number] {
  const name = reader.compactString();
  const value = reader.compactNullableString();
  reader.skip(1 /* whether it is fixed */ + 1 /* where it is set */ + 1 /* whether it is a secret */);
  reader.compactArray(synonym);
  reader.skip(1 /* its type */);
  reader.compactNullableString(); // what it means
  reader.skipTags();
  return { name, value };
}

function synonym(reader: Reader): void {
  reader.compactString();
  reader.compactNullableString(); // its value
  reader.skip(1 /* where it is set */);
  reader.skipTags();
}
