import { eventually } from '@quorate/testbed';
import { expect, test } from 'vitest';
import { Mesh } from '../src/index.ts';
import { HttpService } from './http-service.ts';

// What becomes of an instance whose agent fails in between: these agents are made up.

test('one heartbeat without an answer leaves time for another one before the TTL ends', async () => {
  const passed: number[] = [];
  let asked = 0;
  await using agent = await HttpService.start((request, response) => {
    if (request.url?.includes('/check/pass/')) {
      asked += 1;
      if (asked === 2) return;
      passed.push(performance.now());
    }
    response.end();
  });
  await using _ = await new Mesh({ address: agent.url }).register({ name: 'a', port: 1, checks: [{ ttl: '1500ms' }] });
  await eventually('two heartbeats are answered', () => passed.length > 1);
  expect((passed[1] as number) - (passed[0] as number)).toBeLessThan(1_500);
});
