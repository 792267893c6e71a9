import { describe } from 'vitest';
import { consumingSuite } from './suites/consuming.ts';
import { faultsSuite } from './suites/faults.ts';
import { publishingSuite } from './suites/publishing.ts';
import { requestsSuite } from './suites/requests.ts';
import { transactionsSuite } from './suites/transactions.ts';

// Side by side, because most of the time they wait, the longest first; the tests of each in turn.
for (const suite of [faultsSuite, publishingSuite, consumingSuite, transactionsSuite, requestsSuite])
  describe.concurrent(suite.name, () => {
    describe('in turn', { concurrent: false }, () => suite('platformatic'));
  });
