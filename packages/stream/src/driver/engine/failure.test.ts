import { expect, test } from 'vitest';
import { Again, complaint, unreachable } from './failure.ts';
import { LineEnded } from './line-ended.ts';

test('an answer that passes is tried again, a refusal is not, and what nobody knows is in doubt', () => {
  const asked = { what: 'commit', group: 'g', transactionalId: 'id' };
  expect(complaint('NOT_COORDINATOR', asked)).toMatchObject({ reason: 'NOT_COORDINATOR' });
  expect(complaint('ILLEGAL_SASL_STATE', asked)).toMatchObject({ failure: { code: 'kafka-unreachable' } });
  expect(complaint('ILLEGAL_GENERATION', asked)).toMatchObject({ code: 'not-a-member', happened: 'no' });
  expect(complaint('PRODUCER_FENCED', asked)).toMatchObject({ code: 'fenced-producer', happened: 'no' });
  expect(complaint('INVALID_TRANSACTION_TIMEOUT', asked)).toMatchObject({ code: 'refused', happened: 'no' });
  expect(complaint('UNKNOWN_SERVER_ERROR', asked)).toMatchObject({ code: 'ambiguous', happened: 'unknown' });
});

test('what we say of a connection by ourselves is kept, whatever the library makes of it', () => {
  const ended = new LineEnded('no answer in time');
  const failed = unreachable('publish', ended, { plain: () => undefined, refusedLogin: () => undefined });
  expect(failed).toBeInstanceOf(Again);
  expect((failed as Again).failure).toMatchObject({ code: 'kafka-unreachable', cause: ended });
});
