import { expect, test } from 'vitest';
import { Reader } from '../jute/reader.ts';
import { Writer } from '../jute/writer.ts';
import { multiOperation, type Step } from './multi.ts';

const steps: Step[] = ['/a', '/b'].map((path) => ({ kind: 'delete', path, clientPath: path, version: -1 }));

/** What the servers answer when these are the codes of the operations. */
function failed(...codes: readonly number[]): unknown {
  const writer = new Writer();
  for (const code of codes) writer.int(-1).bool(false).int(code).int(code);
  writer.int(-1).bool(true).int(-1);
  const bytes = writer.take();
  try {
    return multiOperation(steps, 1n).decode(new Reader(bytes, 0, bytes.length), 1n);
  } catch (error) {
    return error;
  }
}

test('a transaction of which one operation was refused did not happen', () => {
  const error = failed(0, -101);
  expect(error).toMatchObject({ name: 'TransactionError', index: 1, code: 'no-node', happened: 'no' });
  expect(String(error)).toContain('the transaction was not committed: operation 1: delete /b: ');
});

test.each([-1, -4, -7, -9999])('a transaction of which a server says %i may have happened', (code) => {
  const error = failed(code, -2);
  expect(error).toMatchObject({ name: 'TransactionError', index: 0, retryable: false, happened: 'unknown' });
  expect(String(error)).toContain(
    'the transaction failed, and it is not known whether it was committed: operation 0: ',
  );
});
