/** One of every server that a system is coordinated with, as a bed: what a demo shows and the figures weigh. */
export const everything: {
  readonly zookeeper: 3;
  readonly redis: 1;
  readonly kafka: 1;
  readonly consul: 1;
  readonly envoy: true;
  readonly temporal: true;
  readonly s3: readonly ['us-east-1', 'eu-west-1'];
  readonly dynamodb: true;
} = {
  zookeeper: 3,
  redis: 1,
  kafka: 1,
  consul: 1,
  envoy: true,
  temporal: true,
  s3: ['us-east-1', 'eu-west-1'],
  dynamodb: true,
};
