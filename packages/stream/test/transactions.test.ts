import { transactionsSuite } from './suites/transactions.ts';

transactionsSuite('platformatic');
