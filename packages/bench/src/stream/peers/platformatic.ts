import { Consumer, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka';
import { type Client, overTwoTopics, type Ride, serve } from './serve.ts';

await serve(async (brokers) => {
  const reach = { clientId: 'bench', bootstrapBrokers: brokers.split(',') };
  const producer = new Producer({ ...reach, serializers: stringSerializers, idempotent: true });
  const publish: Client['publish'] = (topic, rides) =>
    producer.send({ messages: rides.map((ride) => ({ topic, key: String(ride.n), value: JSON.stringify(ride) })) });
  const consume: Client['consume'] = async (topic, handle, one) => {
    const consumer = new Consumer({
      ...reach,
      groupId: `bench-${Math.random()}`,
      deserializers: stringDeserializers,
      maxWaitTime: 500,
    });
    const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: true });
    if (one) {
      void (async () => {
        for await (const { value } of stream) await handle(JSON.parse(value) as Ride);
      })().catch(() => {});
    } else stream.on('data', ({ value }) => void handle(JSON.parse(value) as Ride));
    return () => consumer.close(true);
  };
  return { publish, consume, asking: (topic) => overTwoTopics({ publish, consume }, topic) };
});
