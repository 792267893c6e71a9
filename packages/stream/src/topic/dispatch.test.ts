import { expect, test } from 'vitest';
import type { Connection } from '../connection.ts';
import { Dispatch } from './dispatch.ts';

const message = { id: 'a', record: { key: null, value: null, headers: [], timestamp: 0 }, partition: undefined };

test('whoever has given up before is told so at once, also where no broker answers', () => {
  const silent = { opened: undefined, open: () => new Promise(() => {}), closeAfter: (errand: unknown) => errand };
  const told: unknown[] = [];
  const reason = new Error('enough');
  new Dispatch('t', silent as unknown as Connection).send(message, AbortSignal.abort(reason), (error) =>
    told.push(error),
  );
  expect(told).toEqual([reason]);
});
