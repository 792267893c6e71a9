import { Kafka, logLevel } from 'kafkajs';
import { type Client, overTwoTopics, type Ride, serve } from './serve.ts';

await serve(async (brokers) => {
  const kafka = new Kafka({ brokers: brokers.split(','), clientId: 'bench', logLevel: logLevel.NOTHING });
  // Not idempotent: two sends at the same time are refused by the broker as out of order then, also with one request in flight at most.
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const publish: Client['publish'] = (topic, rides) =>
    producer.send({
      topic,
      acks: -1,
      messages: rides.map((ride) => ({ key: String(ride.n), value: JSON.stringify(ride) })),
    });
  const consume: Client['consume'] = async (topic, handle, one) => {
    const consumer = kafka.consumer({ groupId: `bench-${Math.random()}`, maxWaitTimeInMs: 500 });
    const joined = Promise.withResolvers<void>();
    consumer.on(consumer.events.GROUP_JOIN, () => joined.resolve());
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      partitionsConsumedConcurrently: one ? 1 : 6,
      eachMessage: async ({ message }) => {
        await handle(JSON.parse(String(message.value)) as Ride);
      },
    });
    await joined.promise;
    return () => consumer.disconnect();
  };
  return { publish, consume, asking: (topic) => overTwoTopics({ publish, consume }, topic) };
});
