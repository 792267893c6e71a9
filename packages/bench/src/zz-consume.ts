import { Stream } from '@quorate/stream';
import { Testbed } from '@quorate/testbed';
await using bed = await Testbed.start({ kafka: { brokers: 1, jvm: ['-Xmx1g'] } });
const driver = (process.argv[2] ?? 'platformatic') as 'platformatic';
await using stream = new Stream({ brokers: bed.kafka.url, driver });
const topic = stream.topic('full', { partitions: 6 });
await topic.create();
const text = 'x'.repeat(160);
const N = 300_000;
for (let from = 0; from < N; from += 5_000) await topic.publishMany(Array.from({ length: 5_000 }, (_, i) => ({ key: from + i, value: { n: from + i, at: 0, text } })));
for (let round = 0; round < 4; round += 1) {
  const done = Promise.withResolvers<void>();
  let n = 0; let begin = 0; let cpu = process.cpuUsage();
  const consumer = await topic.consume({ group: `g${round}`, deadLetter: false, concurrency: 100, handler: () => { if (n === 0) { begin = performance.now(); cpu = process.cpuUsage(); } n += 1; if (n === N) done.resolve(); } });
  await done.promise;
  const s = (performance.now() - begin) / 1000; const c = process.cpuUsage(cpu);
  console.log(round, Math.round(N / s), '/s', ((c.user + c.system) / N).toFixed(2), 'µs each');
  await consumer.stop();
}
