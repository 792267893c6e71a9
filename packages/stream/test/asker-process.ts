// Asks, or answers, in a process of its own, to be killed: `node asker-process.ts requester|responder`, told the rest by $QUORATE_ASKER.
// It says "ready" when it has begun, and ends when its standard input does.
import { Stream } from '../src/index.ts';

const { brokers, name, count } = JSON.parse(process.env.QUORATE_ASKER ?? '{}') as {
  readonly brokers: string;
  readonly name: string;
  readonly count: number;
};
const stream = new Stream({ brokers });
if (process.argv[2] === 'responder') {
  await stream.responder(name, {
    group: 'answers',
    sessionTimeout: '2s',
    handler: async (value) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return `killed: ${value}`;
    },
  });
} else {
  const requester = stream.requester(name);
  for (let number = 0; number < count; number += 1) requester.request(`killed ${number}`).catch(() => {});
}
process.stdout.write('ready\n');
process.stdin.resume().once('end', () => process.exit());
