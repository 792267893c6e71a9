import { leadersSuite } from './engine/leaders.ts';
import { brokersSuite, lostAnswersSuite, threeBrokers } from './suites/brokers.ts';
import { consumingSuite } from './suites/consuming.ts';
import { faultsSuite } from './suites/faults.ts';
import { publishingSuite } from './suites/publishing.ts';
import { requestsSuite } from './suites/requests.ts';
import { transactionsSuite } from './suites/transactions.ts';

// npm test has them by the library that is the default.
for (const suite of [publishingSuite, consumingSuite, requestsSuite, transactionsSuite, faultsSuite, brokersSuite])
  suite('kafkajs');
leadersSuite('kafkajs', threeBrokers);
lostAnswersSuite('kafkajs');
