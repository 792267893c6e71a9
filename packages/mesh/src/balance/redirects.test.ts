import { expect, test } from 'vitest';
import { follow, type Step } from './redirects.ts';

/** What is sent after a redirect from `http://query/` to this place. */
async function sentTo(location: string, asked: Partial<Step> = {}, body: ReadableStream | null = null): Promise<Step> {
  const steps: Step[] = [];
  const step = { url: new URL('http://query/'), method: 'GET', headers: new Headers(), withBody: false, ...asked };
  await follow(new Response(body, { status: 307, headers: { location } }), step, async (next) => {
    steps.push(next);
    return new Response('there');
  });
  expect(steps).toHaveLength(1);
  return steps[0] as Step;
}

test('what is meant for one origin goes to no other one, and to this one', async () => {
  const meant = { authorization: 'a', 'proxy-authorization': 'b', cookie: 'c=d', host: 'query.example' };
  const asked = { headers: new Headers({ ...meant, 'x-trip': '7' }) };
  expect([...(await sentTo('http://other/', asked)).headers]).toEqual([['x-trip', '7']]);
  expect([...(await sentTo('http://query:81/', asked)).headers]).toEqual([['x-trip', '7']]);
  expect(Object.fromEntries((await sentTo('/there', asked)).headers)).toEqual({ ...meant, 'x-trip': '7' });
});

test('the body of a redirect, which nobody reads, is let go of: its connection would stay in use', async () => {
  let cancelled = 0;
  const body = new ReadableStream({
    cancel: () => {
      cancelled += 1;
    },
  });
  await sentTo('/there', {}, body);
  expect(cancelled).toBe(1);
});
