import { type DriverName, Stream, type Topic } from '@quorate/stream';
import { type Ride, serve } from './serve.ts';

await serve(async (brokers) => {
  const stream = new Stream({ brokers, driver: process.argv[2] as DriverName });
  const topics = new Map<string, Topic>();
  const topic = (name: string): Topic => {
    const made = topics.get(name) ?? stream.topic(name);
    topics.set(name, made);
    return made;
  };
  return {
    publish: (name, rides) =>
      rides.length === 1
        ? topic(name).publish({ key: rides[0]?.n ?? 0, value: rides[0] })
        : topic(name).publishMany(rides.map((value) => ({ key: value.n, value }))),
    consume: async (name, handle, one) => {
      const consumer = await topic(name).consume({
        group: `bench-${Math.random()}`,
        concurrency: one ? 1 : 100,
        deadLetter: false,
        handler: ({ value }) => handle(value as Ride),
      });
      return () => consumer.stop();
    },
    asking: async (name) => {
      const responder = await stream.responder(name, {
        group: `bench-${Math.random()}`,
        concurrency: 100,
        handler: (value) => value,
      });
      const requester = stream.requester(name);
      return {
        ask: (request) => requester.request(request),
        stop: async () => {
          await responder.stop();
          await requester.stop();
        },
      };
    },
  };
});
