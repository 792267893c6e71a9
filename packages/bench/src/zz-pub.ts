import { Producer, stringSerializers } from '@platformatic/kafka';
import { Stream } from '@quorate/stream';
import { Testbed } from '@quorate/testbed';
await using bed = await Testbed.start({ kafka: { brokers: 1, jvm: ['-Xmx1g'] } });
const text = 'x'.repeat(160);
await using stream = new Stream({ brokers: bed.kafka.url });
const t = stream.topic('a', { partitions: 6 }); await t.create();
const producer = new Producer({ clientId: 'b', bootstrapBrokers: [bed.kafka.url], serializers: stringSerializers, idempotent: true });
const time = async (name: string, n: number, f: (i: number) => Promise<unknown>) => { const times: number[] = []; const cpu = process.cpuUsage(); for (let i = 0; i < n; i += 1) { const b = performance.now(); await f(i); times.push(performance.now() - b); } const c = process.cpuUsage(cpu); times.sort((a, b) => a - b); console.log(name, 'p50', times[n >> 1]!.toFixed(3), 'p99', times[Math.floor(n * 0.99)]!.toFixed(3), 'cpu', ((c.user + c.system) / n).toFixed(0)); };
const ours = (i: number) => t.publish({ key: i, value: { n: i, at: 0, text } });
const bare = (i: number) => producer.send({ messages: [{ topic: 'a', key: String(i), value: JSON.stringify({ n: i, at: 0, text }) }] });
const oursMany = (i: number) => t.publishMany(Array.from({ length: 100 }, (_, j) => ({ key: i * 100 + j, value: { n: i, at: 0, text } })));
const bareMany = (i: number) => producer.send({ messages: Array.from({ length: 100 }, (_, j) => ({ topic: 'a', key: String(i * 100 + j), value: JSON.stringify({ n: i, at: 0, text }) })) });
for (let r = 0; r < 3; r += 1) { await time('ours 1', 3000, ours); await time('bare 1', 3000, bare); await time('ours 100', 500, oursMany); await time('bare 100', 500, bareMany); }
