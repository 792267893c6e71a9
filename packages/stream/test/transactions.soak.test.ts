import { transactionsSuite } from './suites/transactions.ts';

// npm test has it by the library that is the default.
transactionsSuite('kafkajs');
